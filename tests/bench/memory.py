"""What the in-memory Mattermost costs: posts through a plugin that filters them; in process."""

from __future__ import annotations

import time

from mmhooks import App, Post
from mmhooks.testing import Mattermost
from tests.bench.figures import Figure, plain, ratio

POSTS = 10_000


def measure(rounds: int) -> list[Figure]:
    """The figures of so many times 10,000 posts into one channel."""
    app = App()

    @app.hook
    def message_will_be_posted(post: Post) -> Post | None:
        post.message = post.message.replace("teh", "the")
        return post

    with Mattermost(app) as mattermost:
        alice = mattermost.add_user("alice")
        seconds = [_seconds(mattermost, alice.id) for _ in range(rounds)]
    half = rounds // 2
    name = f"the last {half * POSTS:,} of {rounds * POSTS:,} beside the first"
    return [
        plain(f"{POSTS:,} posts through a filter", seconds, unit="s", target=2.0),
        ratio(
            name,
            [1000 * each for each in seconds[:half]],
            [1000 * each for each in seconds[-half:]],
            unit="ms",
            target=1.2,
        ),
    ]


def _seconds(mattermost: Mattermost, user: str) -> float:
    begun = time.perf_counter()
    for _ in range(POSTS):
        mattermost.post("town-square", "teh end", user=user)
    return time.perf_counter() - begun
