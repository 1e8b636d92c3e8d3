"""Keeps a server friendly: masks or refuses words, keeps links of guests out, and some channels from being archived.

Nothing passes unchecked: when the plugin fails, or is late, messages and the rest are refused.
"""

import re
from typing import Literal

from pydantic import BaseModel, Field

from mmhooks import App, Channel, Post, Reject


class Settings(BaseModel):
    """What is not wanted on this server."""

    words: str = Field(
        default="darn\nheck",
        title="Words that nobody may write",
        description="One a line, in capitals or not.",
        json_schema_extra={"mattermost": {"type": "longtext"}},
    )
    answer: Literal["mask", "refuse"] = Field(default="mask", title="What happens to a message with such a word")
    guests_may_link: bool = Field(default=False, title="Guests may post links")
    keep: str = Field(
        default="town-square", title="Channels that stay", description="Their names, with blanks between."
    )


app = App(settings=Settings, timeout=5, on_error=Reject("This could not be checked. Please try again in a minute."))

LINK = re.compile(r"\b(?:https?://|www\.)\S", re.IGNORECASE)


@app.hook
def message_will_be_posted(post: Post) -> Post | Reject | None:
    if not app.settings.guests_may_link and LINK.search(post.message) and is_guest(post.user_id):
        return Reject("Guests cannot post links here.")
    return moderated(post)


@app.hook
def message_will_be_updated(new_post: Post) -> Post | Reject | None:
    return moderated(new_post)


@app.hook
def channel_will_be_archived(channel: Channel) -> Reject | None:
    if channel.name in app.settings.keep.split():
        return Reject(f"{channel.display_name} stays.")
    return None


def is_guest(user_id: str) -> bool:
    return "system_guest" in app.api.get_user(user_id).roles.split()


def moderated(post: Post) -> Post | Reject | None:
    for word in app.settings.words.split():
        pattern = re.compile(rf"\b{re.escape(word)}\b", re.IGNORECASE)
        if app.settings.answer == "refuse" and pattern.search(post.message):
            return Reject(f"Please don't write {word!r} here.")
        post.message = pattern.sub("*" * len(word), post.message)
    return post


if __name__ == "__main__":
    app.run()
