"""The app that a host is served with, which may come after the handshake.

A bundle's launcher shakes hands first and imports the plugin's modules then, so that these may take longer than a
server waits for a handshake. Calls wait for the app meanwhile.
"""

from __future__ import annotations

import concurrent.futures
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmhooks.app import App


class Arrival:
    """An app that is there, or is to come.

    Arguments:
        app: the app, if it is there.
    """

    def __init__(self, app: App | None = None) -> None:
        self._coming: concurrent.futures.Future[App] = concurrent.futures.Future()
        if app is not None:
            self._coming.set_result(app)

    def put(self, app: App) -> bool:
        """Bring the app, from any thread. Result: whether it came in time; the first counts."""
        try:
            self._coming.set_result(app)
        except concurrent.futures.InvalidStateError:
            return False
        return True

    @property
    def app(self) -> App | None:
        """The app, if it has come."""
        return self._coming.result() if self._coming.done() else None

    async def wait(self, timeout: float | None = None) -> App:
        """Wait for the app, for so many seconds at most. Raises `TimeoutError`."""
        import asyncio  # over net/rpc the handshake does without it, as it takes longer to import than all else there

        # Without the shield, whoever gives up waiting would cancel the arrival itself.
        return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(self._coming)), timeout)
