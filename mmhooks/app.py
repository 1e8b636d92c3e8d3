"""App: collects handlers, holds the app's state, and is run."""

from __future__ import annotations

import functools
import logging
import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic

from mmhooks.blueprint import Blueprint, check_timeout
from mmhooks.errors import ConfigurationError, RegistrationError, SecondCopy
from mmhooks.hooks import HOOKS, HookName, find_hook
from mmhooks.limits import MOST_THREADS, Limits, needs_checking
from mmhooks.outcomes import Reject

if TYPE_CHECKING:
    from pydantic import BaseModel
    from typing_extensions import TypeVar  # type checkers bring it along: it has the defaults that 3.11 lacks

    from mmhooks.api import AsyncPluginAPI, Link, PluginAPI
    from mmhooks.binding import Handler
    from mmhooks.bots import AsyncPluginBot, PluginBot
    from mmhooks.bots.own import OwnBot
    from mmhooks.commands.router import Router as CommandRouter
    from mmhooks.config import RuntimeConfig
    from mmhooks.dispatch import Dispatcher
    from mmhooks.kv import AsyncKeyValue, KeyValue
    from mmhooks.lifecycle import Step
    from mmhooks.messages.router import Router as MessageRouter
    from mmhooks.messages.rule import Rule
    from mmhooks.models import Bot
    from mmhooks.outcomes import Outcome
    from mmhooks.settings import Settings
    from mmhooks.testing.client import TestClient

    SettingsT = TypeVar("SettingsT", bound=BaseModel, default=Any)
else:
    from typing import TypeVar

    SettingsT = TypeVar("SettingsT")

_made_in: dict[str, str] = {}
"""The modules that made an app, by their files."""


class App(Blueprint, Generic[SettingsT]):
    """A plugin.

    ```python
    app = App()

    @app.hook(HookName.MessageWillBePosted)
    def keep_calm(post: Post) -> Post | Reject | None:
        ...

    if __name__ == "__main__":
        app.run()
    ```

    Arguments:
        on_error: what filters and gates answer when their handler raises or is late: `Reject("…")` refuses. Without it
            servers go on as if the plugin were absent.
        timeout: seconds for one call of a hook, 30 unless given; `@app.hook(…, timeout=…)` sets one hook's.
        threads: how many sync handlers may run at once, 64 unless given; threads are made when they are needed.
        settings: a pydantic model, a class, of what administrators set for this plugin in the System Console: see
            `app.settings`.
        bot: the bot in whose name the plugin speaks: its username, or a `Bot` with more of it. It is made at activation if
            it is not there, and known by `app.bot`, `@app.mention` and `@app.message(direct=True)`.
        bot_image: the picture of the bot: its bytes, or the path of a file, which begins in the plugin's folder.

    An administrator's environment variables go before `timeout` and `threads`; see the configuration page.
    """

    def __init__(
        self,
        *,
        on_error: Reject | None = None,
        timeout: float | None = None,
        threads: int | None = None,
        settings: type[SettingsT] | None = None,
        bot: str | Bot | None = None,
        bot_image: bytes | str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(on_error=on_error)
        caller = sys._getframe(1).f_globals
        if caller.get("__name__") == "typing":  # App[MySettings](…)
            caller = sys._getframe(2).f_globals
        _refuse_second_copy(caller)
        self.name: str = _name_of(caller)
        check_timeout(timeout, f"App(timeout={timeout!r})")
        if threads is not None and not (type(threads) is int and 0 < threads <= MOST_THREADS):
            raise RegistrationError(f"App(threads={threads!r}): expected a whole number, 1 to {MOST_THREADS}")
        usual = Limits()
        self._defaults = usual._replace(
            hook_timeout=usual.hook_timeout if timeout is None else float(timeout), threads=threads or usual.threads
        )
        self._environ: Mapping[str, str] = _startup_environ()
        self.settings_model: type[SettingsT] | None = settings
        """The class of the settings, for whoever makes a form of it."""
        self._settings = self._declare(settings)
        self._bot = _own_bot(bot, bot_image, os.path.dirname(os.path.abspath(caller.get("__file__") or "app")))
        self._served: dict[str, Handler] = {}

    @functools.cached_property
    def logger(self) -> logging.Logger:
        """The plugin's logger; under a host its records reach the server's log with their levels."""
        return logging.getLogger(self.name)

    @functools.cached_property
    def config(self) -> RuntimeConfig:
        """What the host and the administrator say by environment variables.

        Raises `ConfigurationError` with a line for every variable that cannot be used.
        """
        from mmhooks.config import RuntimeConfig

        return RuntimeConfig.from_environ(self._environ, self._defaults)

    @property
    def limits(self) -> Limits:
        """The numbers in force. Loads pydantic only when a variable is set that has to be checked."""
        return self.config.limits if needs_checking(self._environ) else self._defaults

    @property
    def settings(self) -> SettingsT:
        """What administrators have set for this plugin, as the model that was given to `App(settings=…)`.

        The model's defaults at first. Values are loaded by the plugin API before the handlers of OnActivate and
        OnConfigurationChange run, and are then a new instance. A value that cannot be used leaves its setting as it was,
        and the log says why. May be assigned to in tests; closing a test client puts back what was there.

        Raises `ConfigurationError` when no settings are declared, and as long as one without a default is not set.
        """
        return self._declared().current

    @settings.setter
    def settings(self, settings: SettingsT) -> None:
        self._declared().current = settings

    @functools.cached_property
    def bot(self) -> PluginBot:
        """The bot that was given to `App(bot=…)`, for sync handlers and other threads: `app.bot.dm(user_id, "Hello!")`.

        Raises `ConfigurationError` when there is none.
        """
        from mmhooks.bots import PluginBot

        return PluginBot(self._declared_bot(), self.api)

    @functools.cached_property
    def async_bot(self) -> AsyncPluginBot:
        """The bot that was given to `App(bot=…)`, for async handlers: `await app.async_bot.dm(user_id, "Hello!")`.

        Raises `ConfigurationError` when there is none.
        """
        from mmhooks.bots import AsyncPluginBot

        return AsyncPluginBot(self._declared_bot(), self.async_api)

    def _declared_bot(self) -> OwnBot:
        if self._bot is None:
            raise ConfigurationError('app.bot: this app has none; declare it by App(bot="username")')
        return self._bot

    def _declare(self, model: type[SettingsT] | None) -> Settings[SettingsT] | None:
        if model is None:
            return None
        from mmhooks.settings import Settings

        return Settings(model, lambda: self.async_api)

    def _declared(self) -> Settings[SettingsT]:
        if self._settings is None:
            raise ConfigurationError("app.settings: this app has none; declare them by App(settings=MySettings)")
        return self._settings

    @functools.cached_property
    def api(self) -> PluginAPI:
        """The plugin API, for sync handlers and other threads: `app.api.get_user(user_id)`."""
        from mmhooks.api import PluginAPI

        return PluginAPI(self.api_link)

    @functools.cached_property
    def async_api(self) -> AsyncPluginAPI:
        """The plugin API, for async handlers: `await app.async_api.get_user(user_id)`."""
        from mmhooks.api import AsyncPluginAPI

        return AsyncPluginAPI(self.api_link)

    @functools.cached_property
    def kv(self) -> KeyValue:
        """The plugin's part of the key-value store, for sync handlers and other threads: `app.kv.get("votes", 0)`."""
        from mmhooks.kv.store import KeyValue

        return KeyValue(self.api)

    @functools.cached_property
    def async_kv(self) -> AsyncKeyValue:
        """The plugin's part of the key-value store, for async handlers: `await app.async_kv.get("votes", 0)`."""
        from mmhooks.kv.async_store import AsyncKeyValue

        return AsyncKeyValue(self.async_api)

    @functools.cached_property
    def api_link(self) -> Link:
        """Where a host puts its way to the plugin API."""
        from mmhooks.api import Link

        return Link()

    def implemented_hooks(self) -> list[str]:
        """What a host is told: the hooks with a handler, and those that something else needs, in the order of `hooks.go`.

        OnConfigurationChange needs OnActivate, since it is promised once before it; settings need both. Commands and the
        bot are made known at activation.
        """
        names = {*self._served}
        if self._settings is not None:
            names.add(HookName.OnConfigurationChange)
        if HookName.OnConfigurationChange in names or self._steps():
            names.add(HookName.OnActivate)
        return [name for name in HOOKS if name in names]

    async def invoke_hook(self, name: str, *arguments: Any, timeout: float | None = None, **named: Any) -> Outcome:
        """Call a hook's handler as a host does, without one.

        Arguments:
            name: the hook's canonical name.
            arguments: the hook's, in its order or by its names; what is left out is None.
            timeout: seconds that the caller has; the hook's own deadline counts besides.

        Result: an outcome (`mmhooks.outcomes`); failures of the handler are outcomes too. Raises `UnknownHook`, and
        `TypeError` for arguments that the hook does not have.
        """
        hook = find_hook(name)
        names = [parameter.name for parameter in hook.parameters]
        values = dict(zip(names, arguments, strict=False))
        if len(arguments) > len(names) or values.keys() & named.keys() or not named.keys() <= {*names}:
            raise TypeError(f"{hook.name} takes {hook.signature}, each once")
        values |= named
        return await self.dispatcher.dispatch(hook.name, [values.get(name) for name in names], timeout)

    @functools.cached_property
    def dispatcher(self) -> Dispatcher:
        """What runs this app's handlers; hosts use it."""
        return self.make_dispatcher(notice_edits=bool(self._environ.get("MMHOOKS_DEV")))

    def make_dispatcher(self, *, notice_edits: bool) -> Dispatcher:
        """A dispatcher of its own over this app's handlers, with its own threads; close it when done."""
        from mmhooks.dispatch import Dispatcher
        from mmhooks.lifecycle import Lifecycle

        lifecycle = Lifecycle(self.api_link, self._settings, self._steps)
        return Dispatcher(self._served, self.limits, self.on_error, notice_edits=notice_edits, lifecycle=lifecycle)

    def _changed(self) -> None:
        """Serve what has been registered."""
        self._served.update(self._handlers)
        if self._commands is not None:
            self._served[HookName.ExecuteCommand] = self._command_router.handler
        if self._rules:
            self._served[HookName.MessageHasBeenPosted] = self._message_router.handler

    @functools.cached_property
    def _command_router(self) -> CommandRouter:
        from mmhooks.commands.router import Router

        assert self._commands is not None
        return Router(self._commands, self._handlers, lambda: self.api, lambda: self.async_api)

    @functools.cached_property
    def _message_router(self) -> MessageRouter:
        from mmhooks.messages.router import Router

        return Router(self._rules, self._handlers, self._bot, lambda: self.async_api)

    def _check_rules(self, rules: Iterable[Rule]) -> None:
        rules = [*rules]
        super()._check_rules(rules)
        for rule in rules:
            if self._bot is None and (rule.mention or rule.direct):
                raise RegistrationError(
                    f"{rule.decorator}: {rule.location} gets what is said to the app's bot, and this app has none: declare "
                    'it by App(bot="username")'
                )

    def _steps(self) -> list[Step]:
        """What is done at the server before OnActivate."""
        from mmhooks.lifecycle import Step

        steps = []
        if (bot := self._bot) is not None:
            steps.append(Step("App(bot=…)", lambda most: bot.ensure(self.async_api, most)))
        if (commands := self._commands) is not None:
            from mmhooks.commands.registration import register

            steps.append(Step("@app.command", lambda most: register(commands, self.async_api, most)))
        return steps

    def close_registration(self, reason: str) -> None:
        """Refuse handlers from now on. `reason` completes the sentence "… comes too late: …"."""
        self._closed = reason

    def test_client(self, *, raise_exceptions: bool = True) -> TestClient:
        """A client that calls this app's handlers in process, with one method a hook.

        Arguments:
            raise_exceptions: raise what a handler raised; False shows what a host would see.
        """
        from mmhooks.testing.client import TestClient

        return TestClient(self, raise_exceptions=raise_exceptions)

    def run(self) -> None:
        """Serve the host that started this process until it says stop; the last line of a plugin.

        Started by hand, without a host, it explains how to try the plugin and exits with status 1. Exits with status 2
        when environment variables cannot be used.
        """
        from mmhooks.hosts import serve

        serve(self)


def _own_bot(bot: str | Bot | None, image: Any, folder: str) -> OwnBot | None:
    if bot is None:
        if image is not None:
            raise RegistrationError('App(bot_image=…): there is no bot; declare it by App(bot="username", bot_image=…)')
        return None
    from pathlib import Path

    from mmhooks.bots.own import OwnBot
    from mmhooks.bots.picture import Picture

    return OwnBot(bot, None if image is None else Picture(image, Path(folder)))


def _startup_environ() -> Mapping[str, str]:
    from mmhooks.launch import launched

    return launched.environ if launched else os.environ


def _name_of(caller: dict[str, Any]) -> str:
    name = caller.get("__name__", "app")
    if name != "__main__":
        return str(name)
    return os.path.splitext(os.path.basename(caller.get("__file__") or "app"))[0]


def _refuse_second_copy(caller: dict[str, Any]) -> None:
    name, file = caller.get("__name__", ""), caller.get("__file__")
    if not file:
        return
    file = os.path.realpath(file)
    first = _made_in.setdefault(file, name)
    if first != name and "__main__" in (first, name):
        raise SecondCopy(
            f"{file} runs as the program, and was imported again as {name!r}: that makes a second app, whose handlers "
            f"no host would ever call. Move what the other module needs to a module of its own: handlers go on a "
            f"Blueprint there, and the program says app.include(blueprint)."
        )
