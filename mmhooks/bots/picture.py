"""The picture of a plugin's bot, which the server gets when it is another than before."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mmhooks.errors import MmhooksError, RegistrationError

if TYPE_CHECKING:
    from mmhooks.api import AsyncPluginAPI

logger = logging.getLogger("mmhooks")

KEY = "mmi_mmhooks_bot_image"
"""Where the store says which picture was set for which bot. Servers give a picture back in another form than they got it."""


class Picture:
    """A picture: its bytes, or the file that has them.

    Arguments:
        given: what was given to the app.
        folder: where relative paths begin.

    Raises `RegistrationError` for a file that is not there.
    """

    def __init__(self, given: bytes | str | os.PathLike[str], folder: Path) -> None:
        if not isinstance(given, bytes | str | os.PathLike):
            raise RegistrationError(f"App(bot_image={given!r}): expected the path of a picture, or its bytes")
        self._given = given if isinstance(given, bytes) else folder / given
        if isinstance(self._given, Path) and not self._given.is_file():
            raise RegistrationError(f"App(bot_image={str(given)!r}): there is no file {self._given}")

    async def show(self, api: AsyncPluginAPI, bot_id: str, most: Callable[[], float]) -> None:
        """Have the server show it. A bot without its picture is no reason not to work: failures are logged."""
        try:
            data = self._given if isinstance(self._given, bytes) else _read(self._given)
            mark = f"{bot_id} {hashlib.sha256(data).hexdigest()}".encode()
            if await api.kv_get(KEY, timeout=most()) != mark:
                await api.set_profile_image(bot_id, data, timeout=most())
                await api.kv_set(KEY, mark, timeout=most())
        except (MmhooksError, OSError) as error:
            logger.warning("the picture of the bot is not set: %s", error)


def _read(file: Path) -> bytes:
    return file.read_bytes()
