"""Posts that one user sees, and that nobody stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmhooks.models import Post
from mmhooks.models.constants import PostTypeEphemeral
from mmhooks.testing.mattermost.copies import copied
from mmhooks.testing.mattermost.ids import new_id
from mmhooks.testing.mattermost.methods import answers
from mmhooks.testing.mattermost.records import Ephemeral

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server


def show(server: Server, user_id: str, post: Post) -> Post:
    """Show a post to a user; the lock is held. Result: the post as sent."""
    post = copied(post)
    post.type = PostTypeEphemeral
    post.id = post.id or new_id()
    post.create_at = post.create_at or server.clock.stamp()
    server.records.ephemeral.append(Ephemeral(user_id, post))
    return post


@answers("SendEphemeralPost")
def _send_ephemeral_post(server: Server, user_id: str, post: Post | None) -> Post:
    return show(server, user_id, post or Post())


@answers("UpdateEphemeralPost")
def _update_ephemeral_post(server: Server, user_id: str, post: Post | None) -> Post:
    post = copied(post or Post())
    post.type = PostTypeEphemeral
    post.update_at = server.clock.stamp()
    for index, shown in enumerate(server.records.ephemeral):
        if shown.user_id == user_id and shown.post.id == post.id:
            server.records.ephemeral[index] = Ephemeral(user_id, post)
    return post


@answers("DeleteEphemeralPost")
def _delete_ephemeral_post(server: Server, user_id: str, post_id: str) -> None:
    server.records.ephemeral[:] = [
        shown for shown in server.records.ephemeral if shown.user_id != user_id or shown.post.id != post_id
    ]
