"""Posts: written, edited, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmhooks.errors import AppError
from mmhooks.models import Channel, Context, Post, User
from mmhooks.models import constants as c
from mmhooks.outcomes import DISMISSED
from mmhooks.testing.mattermost.areas.channels import find_channel
from mmhooks.testing.mattermost.areas.permissions import may_in_channel
from mmhooks.testing.mattermost.areas.post_texts import (
    EVERYBODY,
    JOIN_LEAVE_TYPES,
    check_post,
    hashtags,
    mention_channels,
    plain_attachments,
)
from mmhooks.testing.mattermost.areas.users import find_user
from mmhooks.testing.mattermost.copies import copied
from mmhooks.testing.mattermost.failures import bad_request, failure, not_found
from mmhooks.testing.mattermost.ids import new_id
from mmhooks.testing.mattermost.methods import NOBODY, answers

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server

_REMOVED_PROPS = ("add_channel_member", "force_notification")


def find_post(server: Server, post_id: str) -> Post:
    """The stored post. Raises `NotFound`, also for one that has been deleted."""
    post = server.state.posts.get(post_id)
    if post is None or post.delete_at:
        raise not_found("app.post.get.app_error", "Unable to get the post.", f"post_id={post_id}")
    return post


def rejection(reason: str) -> AppError:
    """The error of a post that a plugin refused."""
    text = reason if reason == DISMISSED else f"Post rejected by plugin. {reason}"
    return bad_request(text, text)


def create_post(server: Server, post: Post, context: Context) -> Post:
    """Store a new post, with the hooks before and after. The post is changed, and is the server's from now on."""
    with server.lock:
        _prepare(server, post)
    reason, replaced = server.hooks.filter("MessageWillBePosted", context, post)
    if reason:
        raise rejection(reason)
    with server.lock:
        stored = store_post(server, post if replaced is None else replaced)
        server.hooks.later("MessageHasBeenPosted", context, stored)
        return copied(stored)


def _prepare(server: Server, post: Post) -> None:
    """What is looked at, and filled in, before plugins are asked."""
    channel = find_channel(server, post.channel_id)
    for name in _REMOVED_PROPS:
        post.props.pop(name, None)
    user = find_user(server, post.user_id)
    if user.is_bot:
        post.props[c.PostPropsFromBot] = "true"
    post.metadata = None
    if not post.type and "@" in post.message and EVERYBODY.search(post.message):
        _check_everybody(server, post, user)
    _check_root(server, post)
    plain_attachments(post)
    post.hashtags = hashtags(post.message)
    mention_channels(server, post, channel.team_id)


def _check_everybody(server: Server, post: Post, user: User) -> None:
    """Those who may not call everybody do so in vain, and are told."""
    from mmhooks.testing.mattermost.areas.ephemeral import show

    if may_in_channel(server, user.id, post.channel_id, c.PermissionUseChannelMentions):
        return
    post.props[c.PostPropsMentionHighlightDisabled] = True
    note = "Channel notifications are disabled in this channel for you: nobody was notified by @all, @here or @channel."
    show(server, user.id, Post(channel_id=post.channel_id, root_id=post.root_id, message=note))


def _check_root(server: Server, post: Post) -> None:
    if not post.root_id:
        return
    root = server.state.posts.get(post.root_id)
    if root is None or root.delete_at or root.root_id:
        raise bad_request("api.post.create_post.root_id.app_error", "Invalid RootId parameter.", post.root_id)
    if root.channel_id != post.channel_id:
        raise failure("api.post.create_post.channel_root_id.app_error", 500, "Invalid ChannelId for RootId parameter.")


def store_post(server: Server, post: Post) -> Post:
    """Check and store a new post, as it is; the lock is held. Result: the stored one."""
    if post.id:
        raise bad_request("app.post.save.existing.app_error", "You cannot update an existing Post.", f"id={post.id}")
    post.metadata = None
    post.id = new_id()
    post.create_at = post.create_at or server.clock.stamp()
    post.update_at = post.create_at
    post.edit_at = post.delete_at = post.last_reply_at = post.reply_count = 0
    post.original_id = ""
    check_post(post)
    post.file_ids = attach_files(server, post, post.file_ids)
    server.state.place(post)
    channel = server.state.channels.get(post.channel_id)
    if channel is not None:
        _count(channel, post)
    if post.root_id and (root := server.state.posts.get(post.root_id)) is not None:
        root.update_at = root.last_reply_at = post.create_at
        post.reply_count = server.state.reply_counts[root.id]
    return post


def _count(channel: Channel, post: Post) -> None:
    channel.last_post_at = max(channel.last_post_at, post.create_at)
    if not post.root_id:
        channel.last_root_post_at = max(channel.last_root_post_at, post.create_at)
    if post.type not in JOIN_LEAVE_TYPES:
        channel.total_msg_count += 1
        channel.total_msg_count_root += not post.root_id


def attach_files(server: Server, post: Post, file_ids: list[str]) -> list[str]:
    """Give files to a post. Result: the ids of those that it has now: others' files, and those of another post, are not
    among them."""
    attached = []
    for file_id in dict.fromkeys(file_ids):
        info = server.state.files.get(file_id)
        if info is None or info.delete_at or info.post_id not in ("", post.id):
            continue
        if info.user_id in (post.user_id, "nouser"):
            info.post_id, info.channel_id = post.id, post.channel_id
            attached.append(file_id)
    return attached


@answers("CreatePost", fires=True)
def _create_post(server: Server, post: Post | None) -> Post:
    post = post or Post()
    post.props = {**post.props, c.PostPropsFromPlugin: "true"}
    return create_post(server, post, NOBODY)


@answers("GetPost")
def _get_post(server: Server, post_id: str) -> Post:
    return find_post(server, post_id)


def update_post(server: Server, post: Post, context: Context) -> Post:
    """Store an edited post, with the hooks before and after."""
    with server.lock:
        old = copied(_editable(server, post))
        new = copied(old)
        for name in ("message", "is_pinned", "has_reactions", "props", "file_ids"):
            setattr(new, name, copied(getattr(post, name)))
        plain_attachments(new)
        if new.message != old.message:
            new.hashtags = hashtags(new.message)
        mention_channels(server, new, find_channel(server, old.channel_id).team_id)
        if _edited(old, new):
            new.edit_at = server.clock.stamp()
    reason, replaced = server.hooks.filter("MessageWillBeUpdated", context, new, old)
    if reason:
        raise rejection(reason)
    with server.lock:
        new = new if replaced is None else replaced
        new.metadata = None
        new.update_at = server.clock.stamp()
        check_post(new)
        stored = server.state.posts.get(old.id, old)
        new.reply_count, new.last_reply_at = stored.reply_count, stored.last_reply_at
        new.file_ids = attach_files(server, new, new.file_ids)
        history = copied(old)
        history.id, history.original_id = new_id(), old.id
        history.delete_at = history.update_at = new.update_at
        server.state.posts[history.id] = history
        if new.id in server.state.posts:
            server.state.posts[new.id] = new
        if new.root_id and (root := server.state.posts.get(new.root_id)) is not None:
            root.update_at = new.update_at
        server.hooks.later("MessageHasBeenUpdated", context, new, history)
        return copied(new)


def _editable(server: Server, post: Post) -> Post:
    if not post.id:
        raise bad_request("app.post.get.app_error", "Unable to get the post.", "the id is empty")
    old = find_post(server, post.id)
    if old.type.startswith(c.PostSystemMessagePrefix):
        raise bad_request("api.post.update_post.system_message.app_error", "Unable to update system message.")
    if find_channel(server, old.channel_id).delete_at:
        raise bad_request(
            "api.post.update_post.can_not_update_post_in_deleted.error", "Can not update a post in deleted channel."
        )
    return old


def _edited(old: Post, new: Post) -> bool:
    attachments = c.PostPropsAttachments
    return (
        new.message != old.message
        or new.file_ids != old.file_ids
        or new.props.get(attachments) != old.props.get(attachments)
    )


@answers("UpdatePost", fires=True)
def _update_post(server: Server, post: Post | None) -> Post:
    return update_post(server, post or Post(), NOBODY)


def delete_post(server: Server, post_id: str, deleted_by: str, context: Context) -> None:
    """Delete a post and its replies, with the hook."""
    with server.lock:
        post = server.state.posts.get(post_id)
        if post is None or post.delete_at:
            raise bad_request("app.post.get.app_error", "Unable to get the post.", f"post_id={post_id}")
        if find_channel(server, post.channel_id).delete_at:
            raise bad_request(
                "api.post.delete_post.can_not_delete_post_in_deleted.error", "Can not delete a post in deleted channel."
            )
        before = copied(post)
        time = server.clock.stamp()
        for each in (post, *(server.state.posts[reply_id] for reply_id in server.state.threads[post_id])):
            if not each.delete_at:
                each.delete_at = each.update_at = time
                each.props = {**each.props, c.PostPropsDeleteBy: deleted_by}
                server.state.reply_counts[each.root_id] -= 1
                for file_id in each.file_ids:
                    if info := server.state.files.get(file_id):
                        info.delete_at = info.update_at = time
        if post.root_id and (root := server.state.posts.get(post.root_id)) is not None:
            root.update_at = time
        server.hooks.later("MessageHasBeenDeleted", context, before)


@answers("DeletePost")
def _delete_post(server: Server, post_id: str) -> None:
    delete_post(server, post_id, server.plugin_id, NOBODY)
