"""Takes the pulse of a server: every ten minutes the log says how many messages each channel had."""

import asyncio
from collections import Counter

from mmhooks import App, Post

INTERVAL = 600.0  # seconds

app = App()
messages: Counter[str] = Counter()  # async handlers all run in one thread, so this needs no lock
reports: asyncio.Task[None]


@app.hook
async def on_activate() -> None:
    global reports
    reports = asyncio.create_task(report_regularly())


@app.hook
async def message_has_been_posted(post: Post) -> None:
    messages[post.channel_id] += 1


@app.hook
async def on_deactivate() -> None:
    reports.cancel()
    report()  # what was counted since the last report


async def report_regularly() -> None:
    while True:
        await asyncio.sleep(INTERVAL)
        report()


def report() -> None:
    for channel, count in messages.most_common():
        app.logger.info("messages in %s: %d", channel, count)
    messages.clear()


if __name__ == "__main__":
    app.run()
