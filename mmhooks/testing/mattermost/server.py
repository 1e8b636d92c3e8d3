"""The server: it has the state, answers the plugin API, and calls the plugin's hooks."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmhooks.errors import AppError, UnsupportedByHost
from mmhooks.models import Config, Manifest, PluginState
from mmhooks.testing.mattermost.arguments import received
from mmhooks.testing.mattermost.clock import Clock
from mmhooks.testing.mattermost.copies import copied
from mmhooks.testing.mattermost.defaults import default_config
from mmhooks.testing.mattermost.hooks import Hooks
from mmhooks.testing.mattermost.ids import new_id
from mmhooks.testing.mattermost.lock import News, StateLock
from mmhooks.testing.mattermost.methods import methods
from mmhooks.testing.mattermost.records import ApiCall, Records
from mmhooks.testing.mattermost.state import State


class Server:
    """An in-memory Mattermost with one plugin. It knows nothing of how the plugin is reached: give its hooks a `Plugin`,
    and pass the plugin's calls of the API to `answer`.

    Arguments:
        manifest: of the plugin.
        settings: of the plugin, as an administrator has stored them.
        clock: the server's.
        bundle_path: the folder with the plugin's files, if it is known.
    """

    def __init__(self, manifest: Manifest, settings: Mapping[str, Any], clock: Clock, *, bundle_path: str = "") -> None:
        self.manifest = manifest
        self.bundle_path = bundle_path
        self.clock = clock
        self.config: Config = default_config()
        self.config.PluginSettings.Plugins[manifest.id] = copied(dict(settings))
        self.config.PluginSettings.PluginStates[manifest.id] = PluginState(Enable=True)
        self.state = State()
        self.records = Records()
        self.lock = StateLock()
        self.news = News()
        self.hooks = Hooks(self.lock, self.news)
        self.installed_at = clock.now
        self.telemetry_id = new_id()
        self.plugin_error = ""
        """Why the plugin could not be activated."""
        self.warnings: list[str] = []
        """What went wrong and nobody was told of, as in a server's own log."""
        self._answers: dict[str, Any] = {}
        self._methods = methods()

    @property
    def plugin_id(self) -> str:
        """The plugin's id."""
        return self.manifest.id

    @property
    def settings(self) -> dict[str, Any]:
        """What is stored for the plugin, with the keys as they were written."""
        return self.config.PluginSettings.Plugins.setdefault(self.plugin_id, {})

    def warn(self, text: str) -> None:
        """Note something that went wrong and of which nobody is told."""
        self.warnings.append(text)

    def try_to(self, action: Callable[[], object]) -> None:
        """Do something of whose failure nobody is told."""
        try:
            action()
        except AppError as error:
            self.warn(str(error))

    def replace_answer(self, method: str, answer: Any) -> None:
        """Answer a method otherwise from now on: with a value, by raising an exception, or by what a function makes of the
        arguments. Raises `APIError` when Mattermost has no such method."""
        _check_name(method)
        self._answers[method] = answer

    def replaces(self, method: str) -> bool:
        """Whether a method has another answer than this server's own."""
        return method in self._answers

    def fires(self, method: str) -> bool:
        """Whether hooks may run before a method is answered, so that it must not be called on the plugin's event loop."""
        return method in self._answers or (method in self._methods and self._methods[method].fires)

    def answer(self, method: str, arguments: Sequence[Any]) -> Any:
        """Answer a call of the plugin API, in any thread.

        Arguments:
            method: Mattermost's name for it.
            arguments: in Go's order; models, plain values, None for an empty pointer.

        Result: a copy of what the method gives besides its error: nothing, a value, or a tuple of several. Raises
        `AppError` and `GoError` as a server says them, `UnsupportedByHost` for a method that nobody has written here, and
        `ModelError`, `TypeError` or `APIError` for arguments and methods that do not exist.
        """
        taken = received(method, arguments)
        self.records.calls.append(ApiCall(method, tuple(copied(taken))))
        try:
            return self._answer(method, taken)
        finally:
            self.news.tell()

    def _answer(self, method: str, arguments: list[Any]) -> Any:
        if method in self._answers:
            answer = self._answers[method]
            if isinstance(answer, BaseException) or (isinstance(answer, type) and issubclass(answer, BaseException)):
                raise answer
            return copied(answer(*copied(arguments)) if _is_function(answer) else answer)
        found = self._methods.get(method)
        if found is None:
            raise UnsupportedByHost(
                f"the in-memory Mattermost does not do {method}: give it an answer, "
                f"mattermost.answer({method!r}, …), or test with a real server"
            )
        if found.fires:
            result = found.function(self, *arguments)
            with self.lock:
                return copied(result)
        with self.lock:
            return copied(found.function(self, *arguments))


def _check_name(method: str) -> None:
    """Raises `APIError` when Mattermost has no such method."""
    with contextlib.suppress(TypeError):  # it takes arguments
        received(method, ())


def _is_function(answer: Any) -> bool:
    return callable(answer) and not isinstance(answer, type)
