"""Mattermost, in memory: for tests of a plugin without a server."""

from __future__ import annotations

import contextlib
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from mmhooks.api.calls import running_loop
from mmhooks.errors import BundleError, HandlerError
from mmhooks.models import Manifest, PluginSettingsSchema, Team, User
from mmhooks.outcomes import Failed
from mmhooks.testing.client import TestClient, handlers_loop
from mmhooks.testing.mattermost.caller import InProcessCaller
from mmhooks.testing.mattermost.clock import Clock
from mmhooks.testing.mattermost.hooks import Trouble, within_hook
from mmhooks.testing.mattermost.moving import Moving
from mmhooks.testing.mattermost.plugin import InProcess
from mmhooks.testing.mattermost.server import Server

if TYPE_CHECKING:
    from mmhooks.app import App

T = TypeVar("T")


class Mattermost(Moving):
    """A Mattermost server in memory, with your plugin in it.

    ```python
    def test_greets(mattermost):
        alice = mattermost.add_user("alice")
        mattermost.post("town-square", "hello", user=alice)
        assert mattermost.posts("town-square")[-1].message == "Hello, alice!"
    ```

    It has a team `main` with the channels `town-square` and `off-topic`, and an administrator `admin`. Entered as a context
    manager, it activates the plugin, as a server does, and deactivates it in the end:

    - `add_user`, `add_channel` … say what has always been there; nothing happens.
    - `post`, `react`, `join`, `run_command` … are what people do. They return when everything has happened that follows
      from it, the hooks that a server calls in the background included.
    - `posts`, `user`, `ephemeral_posts`, `calls` … tell what is there now, and what the plugin did.

    The plugin's calls of the API go to the same server, from handlers and from any other thread. A method that it does not
    have raises `UnsupportedByHost`, which names it; `answer` gives one an answer.

    It never calls the hooks of HTTP, mails, shared channels, clusters and SAML, nor OnInstall, RunDataRetention and
    MessagesWillBeConsumed (which servers have switched off): `app.test_client()` does. Of slash commands it has those of
    the plugin only, and every well-formed name of an emoji counts as one.

    Arguments:
        app: the plugin.
        settings: the plugin's settings, as an administrator has stored them in the System Console.
        plugin_id: its id; made of the name of its module unless given.
        manifest: its manifest; made of the app unless given.
        bundle_path: the folder with its files; that of its module unless given.
        clock: the server's clock, which stands still unless given.
        raise_exceptions: raise what a handler raised, in whatever made the server call it; False only notes it in `errors`, and
            things go on as on a server.
    """

    def __init__(
        self,
        app: App,
        *,
        settings: Mapping[str, Any] | None = None,
        plugin_id: str = "",
        manifest: Manifest | None = None,
        bundle_path: str = "",
        clock: Clock | None = None,
        raise_exceptions: bool = True,
    ) -> None:
        manifest = manifest or _manifest_of(app, plugin_id)
        path = bundle_path or _folder_of(app)
        self._set_up(Server(manifest, settings or {}, clock or Clock(), bundle_path=path), raise_exceptions)
        self._app: App | None = app

    def _set_up(self, server: Server, raise_exceptions: bool) -> None:
        super().__init__(server)
        self._raise = raise_exceptions
        self._told = 0
        self._open = contextlib.ExitStack()
        self._entered = False
        self._team = self.add_team("main").id
        self._admin = self.add_user("admin").id

    @property
    def admin(self) -> User:
        """The administrator, who does what is done without a user."""
        return self.user(self._admin)

    @property
    def main_team(self) -> Team:
        """The team in which users and channels are when nothing else is said."""
        return self.team(self._team)

    @property
    def errors(self) -> list[Trouble]:
        """The handlers that failed, and how."""
        return [*self.server.hooks.troubles]

    def __enter__(self) -> Self:
        if self._entered:
            raise RuntimeError("this Mattermost is in use, or was: make another")
        self._entered = True
        with contextlib.ExitStack() as stack:
            self._load(stack)
            stack.callback(self.server.hooks.close)
            self.enable_plugin()
            self._open = stack.pop_all()
        return self

    def _load(self, stack: contextlib.ExitStack) -> None:
        """Bring the plugin and the server together, until the stack is closed."""
        assert self._app is not None
        client = stack.enter_context(TestClient(self._app, raise_exceptions=False))
        link = self._app.api_link
        stack.callback(setattr, link, "caller", link.caller)
        link.caller = InProcessCaller(self.server, handlers_loop())
        self.server.hooks.plugin = InProcess(client)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._open:
            try:
                self.disable_plugin()
            except BaseException:
                if kind is None:
                    raise

    def enable_plugin(self) -> None:
        """Activate the plugin: OnConfigurationChange, OnActivate. Done on entering.

        Raises what a handler raised; with `raise_exceptions=False` the plugin is then off, as it would be on a server.
        """
        with self.acting():
            outcome = self.server.hooks.life("OnActivate")
            if isinstance(outcome, Failed):
                self.server.plugin_error = str(outcome.error)
                if self._raise:
                    error = outcome.error
                    raise (error.__cause__ or error) if isinstance(error, HandlerError) else error
                return
            self.server.plugin_error = ""
            self.server.hooks.active = True

    def disable_plugin(self) -> None:
        """Deactivate the plugin: OnDeactivate. Its slash commands are gone then. Done on leaving."""
        with self.acting():
            self.server.hooks.settle()
            if self.server.hooks.active:
                self.server.hooks.active = False
                self.server.hooks.life("OnDeactivate")
                with self.server.lock:
                    self.server.state.plugin_commands.clear()

    def answer(self, method: str, answer: Any) -> None:
        """Answer a method of the plugin API in another way than this server does, or does not.

        Arguments:
            method: Mattermost's name for it: `GetLicense`.
            answer: the value that it gives; an exception, which it raises; or a function, which gets the arguments in Go's
                order, and whose result it gives.

        Raises `APIError`, with the nearest right name, when Mattermost has no such method.
        """
        self.server.replace_answer(method, answer)

    def settle(self) -> None:
        """Wait until everything has happened that is under way, and raise what handlers raised. Only needed after calls that
        are not this object's: those of `app.api` in a test, or in a thread of the plugin."""
        with self.acting():
            pass

    def wait_for(self, condition: Callable[[], T], timeout: float = 5.0) -> T:
        """Wait until something is true that a thread or task of the plugin brings about.

        Arguments:
            condition: a function, called again whenever the server has been asked something, or a hook has run.
            timeout: seconds to wait at most. These are real ones: the clock of the server stands still meanwhile.

        Result: what the function gave. Raises what a handler raised meanwhile, and `AssertionError` when time is up.
        """
        found = self.server.news.wait_for(condition, timeout)
        self._tell()
        if not found:
            last = ", ".join(call.method for call in self.calls[-5:]) or "none"
            raise AssertionError(
                f"what was waited for did not come true within {timeout:g} s; the last calls of the plugin API: {last}"
            )
        return found

    @contextlib.contextmanager
    def acting(self) -> Iterator[None]:
        """See `Acting`."""
        if not self._entered:
            raise RuntimeError("the plugin is not there yet: write `with Mattermost(app) as mattermost:`")
        if running_loop() is handlers_loop():
            raise RuntimeError(
                "this waits for handlers, and on their own event loop none could answer meanwhile: in an async handler "
                "write `await asyncio.to_thread(…)`"
            )
        if within_hook():  # whoever called the hook waits for what follows, and is told
            yield
            return
        try:
            yield
        finally:
            self.server.hooks.settle()
            self.server.news.tell()
            self._tell()

    def _tell(self) -> None:
        """Raise what a handler raised and nobody has been told, and warn of slips."""
        hooks = self.server.hooks
        if not hooks.slips and len(hooks.troubles) == self._told:
            return
        slips, hooks.slips = hooks.slips, []
        for slip in slips:
            warnings.warn(slip, stacklevel=_authors_level())
        troubles, self._told = hooks.troubles[self._told :], len(hooks.troubles)
        if troubles and self._raise:
            first, *others = troubles
            for other in others:
                first.error.add_note(f"then {other.hook} failed, too: {other.error!r}")
            raise first.error


def _authors_level() -> int:
    """How many frames above the one that asks the first is that is not ours: the line of the test."""
    level, frame = 1, sys._getframe(1)
    ours = (str(Path(__file__).parent), contextlib.__file__)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(ours):
        level, frame = level + 1, frame.f_back
    return level


def _folder_of(app: App) -> str:
    file = getattr(sys.modules.get(app.name), "__file__", None)
    return str(Path(file).parent) if file else ""


def _manifest_of(app: App, plugin_id: str) -> Manifest:
    name = app.name.rpartition(".")[2]
    return Manifest(
        id=plugin_id or "com.example." + re.sub(r"[^a-z0-9_-]", "-", name.lower()),
        name=name,
        version="1.0.0",
        settings_schema=_schema_of(app),
    )


def _schema_of(app: App) -> PluginSettingsSchema | None:
    if app.settings_model is None:
        return None
    from mmhooks.bundle.settings_schema import settings_schema

    with contextlib.suppress(BundleError):  # what the System Console cannot show has no defaults there
        return PluginSettingsSchema.from_dict(settings_schema(app.settings_model))
    return None
