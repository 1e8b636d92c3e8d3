"""What administrators can set for the plugin: System Console, Plugins."""

from pydantic import BaseModel, Field


class Settings(BaseModel):
    allow_shouting: bool = Field(False, title="Allow shouting", description="Whether messages may be all capitals.")
    slip: str = Field("teh", title="Common slip", description="A word that is mended; nothing if it is empty.")
    correction: str = Field("the", title="Its correction")
