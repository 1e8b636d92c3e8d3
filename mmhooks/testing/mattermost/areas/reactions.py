"""Reactions to posts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmhooks.errors import AppError
from mmhooks.models import Context, Post, Reaction
from mmhooks.testing.mattermost.areas.channels import find_channel
from mmhooks.testing.mattermost.areas.emoji import check_emoji
from mmhooks.testing.mattermost.areas.posts import find_post
from mmhooks.testing.mattermost.copies import copied
from mmhooks.testing.mattermost.failures import bad_request, forbidden
from mmhooks.testing.mattermost.ids import is_id
from mmhooks.testing.mattermost.methods import NOBODY, answers

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server

MOST_EMOJI = 50


def _post_of(server: Server, reaction: Reaction, verb: str) -> Post:
    post = find_post(server, reaction.post_id)
    if find_channel(server, post.channel_id).delete_at:
        raise forbidden(f"api.reaction.{verb}.archived_channel.app_error", "You cannot react in an archived channel.")
    return post


def _invalid(field: str) -> AppError:
    return bad_request(f"model.reaction.is_valid.{field}.app_error", f"Invalid {field}.")


def add_reaction(server: Server, reaction: Reaction, context: Context) -> Reaction:
    """Add a reaction, with the hook, also when it is there already."""
    with server.lock:
        reaction = copied(reaction)
        post = _post_of(server, reaction, "save")
        check_emoji(server, reaction.emoji_name)
        held = server.state.reactions[post.id]
        emoji = {name for _, name in held}
        if reaction.emoji_name not in emoji and len(emoji) >= MOST_EMOJI:
            raise bad_request("app.reaction.save.save.too_many_reactions", "The post has its most reactions already.")
        if not is_id(reaction.user_id):
            raise _invalid("user_id")
        if not 1 <= len(reaction.emoji_name) <= 64:
            raise _invalid("emoji_name")
        reaction.create_at = reaction.create_at or server.clock.stamp()
        reaction.update_at, reaction.delete_at = server.clock.stamp(), 0
        reaction.channel_id = post.channel_id
        first = held.get((reaction.user_id, reaction.emoji_name))
        if first is not None:
            reaction.create_at = first.create_at
        held[reaction.user_id, reaction.emoji_name] = reaction
        post.has_reactions, post.update_at = True, reaction.update_at
        server.hooks.later("ReactionHasBeenAdded", context, reaction)
        return copied(reaction)


def remove_reaction(server: Server, reaction: Reaction, context: Context) -> None:
    """Remove a reaction, with the hook, also when there is none."""
    with server.lock:
        post = _post_of(server, reaction, "delete")
        held = server.state.reactions[post.id]
        held.pop((reaction.user_id, reaction.emoji_name), None)
        post.has_reactions, post.update_at = bool(held), server.clock.stamp()
        server.hooks.later("ReactionHasBeenRemoved", context, reaction)


@answers("AddReaction")
def _add_reaction(server: Server, reaction: Reaction | None) -> Reaction:
    return add_reaction(server, reaction or Reaction(), NOBODY)


@answers("RemoveReaction")
def _remove_reaction(server: Server, reaction: Reaction | None) -> None:
    remove_reaction(server, reaction or Reaction(), NOBODY)


@answers("GetReactions")
def _get_reactions(server: Server, post_id: str) -> list[Reaction]:
    return sorted(server.state.reactions.get(post_id, {}).values(), key=lambda reaction: reaction.create_at)
