"""What administrators can set for the plugin: System Console, Plugins."""

from pydantic import BaseModel, Field


class Settings(BaseModel):
    allow_shouting: bool = Field(
        default=False,
        title="Allow shouting",
        description="Messages may be all capitals.",
    )
    slip: str = Field(
        default="teh",
        title="Common slip",
        description="A word that is mended.",
    )
    correction: str = Field(default="the", title="Its correction")
