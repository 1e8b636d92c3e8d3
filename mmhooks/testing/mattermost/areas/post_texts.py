"""What the server makes of a post's text and props before it is stored."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from mmhooks.errors import ModelError
from mmhooks.models import Model, Post
from mmhooks.models import constants as c
from mmhooks.testing.mattermost.failures import bad_request
from mmhooks.testing.mattermost.ids import is_id, new_id

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server

LONGEST_MESSAGE = 16383
MOST_PROPS = 800000
MOST_FILE_IDS = 300
MOST_HASHTAGS = 1000

_BEFORE_WORD = re.compile(r"^[^\w\s#]+")
_AFTER_WORD = re.compile(r"[^\w\s]+$|_+$")
_HASHTAG = re.compile(r"#[^\W\d_][\w.-]*[^\W_]")
_CHANNEL = re.compile(r"\B~([A-Za-z0-9_-]+)")
EVERYBODY = re.compile(r"(?<!\w)@(all|here|channel)(?!\w)")

JOIN_LEAVE_TYPES = frozenset(
    (
        c.PostTypeJoinChannel,
        c.PostTypeLeaveChannel,
        c.PostTypeAddToChannel,
        c.PostTypeRemoveFromChannel,
        c.PostTypeJoinTeam,
        c.PostTypeLeaveTeam,
        c.PostTypeAddToTeam,
        c.PostTypeRemoveFromTeam,
        "system_join_leave",
        "system_add_remove",
    )
)
"""Messages that channels do not count."""

_TYPES = (
    {value for name, value in vars(c).items() if name.startswith("PostType")}
    | JOIN_LEAVE_TYPES
    | {
        "system_auto_responder",
        "system_combined_user_activity",
        "system_gm_to_channel",
        "system_warn_metric_status",
        "system_wrangler",
        "system_change_chan_privacy",
    }
) - {c.PostTypeEphemeral}


def hashtags(message: str) -> str:
    """The hashtags of a text, separated by spaces."""
    if "#" not in message:
        return ""
    words = (_AFTER_WORD.sub("", _BEFORE_WORD.sub("", word)) for word in message.split())
    found = [word for word in (re.sub(r"^#{2,}", "#", word) for word in words) if _HASHTAG.fullmatch(word)]
    text = " ".join(found)
    return text if len(text) <= MOST_HASHTAGS else text[: MOST_HASHTAGS + 1].rpartition(" ")[0]


def mention_channels(server: Server, post: Post, team_id: str) -> None:
    """Note in the props which open channels of the team the text names."""
    mentioned = {}
    if "~" in post.message:
        team = server.state.teams.get(team_id)
        for name in _CHANNEL.findall(post.message):
            channel = server.state.channels.get(server.state.channel_names.get((team_id, name.lower()), ""))
            if channel is not None and channel.type == c.ChannelTypeOpen and team is not None:
                mentioned[channel.name] = {"display_name": channel.display_name, "team_name": team.name}
    post.props.pop(c.PostPropsChannelMentions, None)
    if mentioned:
        post.props[c.PostPropsChannelMentions] = mentioned


def plain_attachments(post: Post) -> None:
    """Make plain dicts of the attachments, and give their buttons ids."""
    attachments = post.props.get(c.PostPropsAttachments)
    if not isinstance(attachments, list):
        return
    plain: list[Any] = [each.to_dict() if isinstance(each, Model) else each for each in attachments]
    for attachment in plain:
        for action in (isinstance(attachment, dict) and attachment.get("actions")) or ():
            if isinstance(action, dict) and not action.get("id"):
                action["id"] = new_id()
    post.props[c.PostPropsAttachments] = plain


def check_post(post: Post) -> None:
    """Raises `BadRequest` for a post that cannot be stored, and `ModelError` for props that no server could be told."""
    if len(post.message) > LONGEST_MESSAGE:
        raise _invalid("message_length", post)
    for field in ("user_id", "channel_id"):
        if not is_id(getattr(post, field)):
            raise _invalid(field, post)
    for field in ("root_id", "original_id"):
        if (value := getattr(post, field)) and not is_id(value):
            raise _invalid(field, post)
    if post.type not in _TYPES and not post.type.startswith(c.PostCustomTypePrefix):
        raise _invalid("type", post)
    if len(post.hashtags) > MOST_HASHTAGS:
        raise _invalid("hashtags", post)
    if post.file_ids and len(msgspec.json.encode(post.file_ids)) > MOST_FILE_IDS:
        raise _invalid("file_ids", post)
    if post.props:
        try:
            size = len(msgspec.json.encode(post.props))
        except (TypeError, ValueError, RecursionError) as error:
            raise ModelError(f"Post.props cannot be written as JSON: {error}") from error
        if size > MOST_PROPS and len(msgspec.json.encode(post.props).decode()) > MOST_PROPS:
            raise _invalid("props", post)


def _invalid(field: str, post: Post) -> Exception:
    return bad_request(f"model.post.is_valid.{field}.app_error", f"Invalid {field}.", f"id={post.id}")
