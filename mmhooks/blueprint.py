"""Blueprint: collects handlers, so that a plugin can be spread over modules; the app is one itself."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from mmhooks.binding import Handler, bind, describe, name_of, signature_of
from mmhooks.decorators import HookDecorator
from mmhooks.errors import DuplicateHandler, RegistrationClosed, RegistrationError
from mmhooks.hooks import HOOKS, Hook, HookName, find_hook, infer_hook
from mmhooks.limits import LONGEST_TIMEOUT
from mmhooks.outcomes import Dismiss, Reject, Stop

if TYPE_CHECKING:
    from mmhooks.commands.command import Command
    from mmhooks.commands.table import Table
    from mmhooks.messages.rule import Rule
    from mmhooks.models import CommandResponse

_Typed = TypeVar(
    "_Typed", bound="Callable[..., Awaitable[CommandResponse | str | None] | CommandResponse | str | None]"
)
_Written = TypeVar("_Written", bound="Callable[..., Awaitable[Stop | type[Stop] | None] | Stop | type[Stop] | None]")


class Blueprint(HookDecorator):
    """Handlers that belong together, to be merged into an app by `app.include(blueprint)`.

    Arguments:
        on_error: what failed filters and gates of these handlers answer instead of letting things pass.
    """

    def __init__(self, *, on_error: Reject | None = None) -> None:
        _check_on_error(on_error, "on_error")
        if isinstance(on_error, Dismiss):
            raise RegistrationError(f"on_error: {_DISMISS}, with its own on_error")
        self.on_error = on_error
        self._handlers: dict[str, Handler] = {}
        self._commands: Table | None = None
        self._rules: list[Rule] = []
        self._closed = ""

    def command(
        self, name: str, *, hint: str = "", description: str = "", timeout: float | None = None
    ) -> Callable[[_Typed], _Typed]:
        """Call the function below for a slash command.

        What people type goes into its parameters by their annotations: words into positional ones, `--name value` into
        keyword-only ones. The commands page says what annotations there are. `args: CommandArgs` and `context: Context` are
        there besides. It returns a text, which only the user sees, a `CommandResponse`, or None, and may be async.

        Arguments:
            name: the words of the command: `"weather"`, or `"weather today"` for a command below it.
            hint: what may follow, for people who type; made of the parameters unless given.
            description: what it does, in a line; the first of the function's docstring unless given.
            timeout: seconds for one call, in place of the app's.

        Result: the function, as it was. Raises `RegistrationError` for a name that nobody could type, `HandlerMismatch`,
        `DuplicateHandler`, `RegistrationClosed`.
        """
        from mmhooks.commands.command import Command, path_of

        path_of(name)  # a wrong name is told at the line that has it
        check_timeout(timeout, f"@app.command({name!r}, timeout={timeout!r})")

        def register(function: _Typed) -> _Typed:
            # Annotations may name what is local to where the function is made.
            more = sys._getframe(1).f_locals
            made = Command(name, function, hint=hint, description=description, timeout=timeout, more=more)
            self._take_commands([made])
            return function

        return register

    def message(
        self,
        wanted: str | re.Pattern[str] | None = None,
        *,
        direct: bool = False,
        bots: bool = False,
        timeout: float | None = None,
    ) -> Callable[[_Written], _Written]:
        """Call the function below for messages that people have written.

        It takes `post` and `context` by their names, the groups of the pattern by theirs, and `match`. It returns nothing,
        or `Stop()` to keep the message from the functions that were registered after it, and may be async. Messages of
        plugins, this one among them, and the server's own are left out.

        Arguments:
            wanted: a text, whose words have to be in the message, in capitals or not; or a pattern, of which a search has to
                find something. Leave it out for every message.
            direct: only messages to the app's bot, in a direct channel. Needs `App(bot="…")`.
            bots: also messages of bots and webhooks.
            timeout: seconds for one call, in place of the app's.

        Result: the function, as it was. Raises `RegistrationError`, `HandlerMismatch` or `RegistrationClosed`.
        """
        return self._listen(wanted, "@app.message", timeout, direct=direct, bots=bots)

    @overload
    def mention(self, wanted: _Written) -> _Written: ...

    @overload
    def mention(
        self, wanted: str | re.Pattern[str] | None = None, *, bots: bool = False, timeout: float | None = None
    ) -> Callable[[_Written], _Written]: ...

    def mention(self, wanted: Any = None, *, bots: bool = False, timeout: float | None = None) -> Any:
        """Call the function below for messages that mention the app's bot, `@name`. Needs `App(bot="name")`.

        Used bare, `@app.mention`, or with a text or a pattern that has to be in the message besides: the mention itself is
        left out of what they are compared with. All else is as for `message`.
        """
        if callable(wanted):
            return self._listen(None, "@app.mention", None, depth=2, mention=True)(wanted)
        return self._listen(wanted, "@app.mention", timeout, mention=True, bots=bots)

    def include(self, blueprint: Blueprint) -> None:
        """Take over all handlers of `blueprint`, which takes no more from then on, with its commands and functions for
        messages.

        Raises `DuplicateHandler`, and takes over none, when a hook has a handler, or a command a function, on both sides.
        """
        for name in blueprint.registered_hooks():
            self._check_free(blueprint._handlers[name])
        self._check_rules(blueprint._rules)
        if blueprint._commands is not None:
            self._take_commands(blueprint._commands)
        for name in blueprint.registered_hooks():
            handler = blueprint._handlers[name]
            if handler.on_error is None and handler.hook.kind.may_reject and blueprint.on_error is not None:
                handler = dataclasses.replace(handler, on_error=blueprint.on_error)
            self._handlers[name] = handler
        self._rules += blueprint._rules
        self._changed()
        # A handler that came later would be lost without a word.
        blueprint._closed = blueprint._closed or "its blueprint was included before"

    def has_hook(self, name: str) -> bool:
        """Whether a hook has a handler of the author's. Raises `UnknownHook` for a name that is no hook."""
        return find_hook(name).name in self._handlers

    def registered_hooks(self) -> list[str]:
        """The hooks with a handler, in the order of Mattermost's `hooks.go`."""
        return [name for name in HOOKS if name in self._handlers]

    def _changed(self) -> None:
        """Something has been registered."""

    def _listen(
        self, wanted: Any, decorator: str, timeout: float | None, depth: int = 1, **options: bool
    ) -> Callable[[_Written], _Written]:
        """What the decorators for messages do; `depth` is how far away from `register` the function is made."""
        from mmhooks.messages.rule import Rule, check_wanted

        check_wanted(wanted, decorator)
        check_timeout(timeout, f"{decorator}(timeout={timeout!r})")

        def register(function: _Written) -> _Written:
            rule = Rule(wanted, function, timeout=timeout, more=sys._getframe(depth).f_locals, **options)
            self._check_rules([rule])
            self._rules.append(rule)
            self._changed()
            return function

        return register

    def _check_rules(self, rules: Iterable[Rule]) -> None:
        for rule in rules:
            self._check_open(rule.decorator, rule.location)

    def _take_commands(self, commands: Iterable[Command]) -> None:
        from mmhooks.commands.table import Table

        table = self._commands or Table()
        for command in (commands := [*commands]):
            self._check_open(command.name, command.location)
            table.check_free(command)
        for command in commands:
            self._commands = table
            table.add(command)
        self._changed()

    def _register(
        self,
        hook: Hook,
        function: Callable[..., Any],
        timeout: float | None,
        on_error: Reject | None,
        ignores: tuple[bool, bool],
    ) -> None:
        check_timeout(timeout, f"{hook.name}: timeout={timeout!r}")
        _check_on_error(on_error, f"{hook.name}: on_error")
        if isinstance(on_error, Dismiss) and hook.name is not HookName.MessageWillBePosted:
            raise RegistrationError(f"{hook.name}: on_error: {_DISMISS}")
        if on_error is not None and not hook.kind.may_reject:
            raise RegistrationError(
                f"{hook.name}: on_error is for hooks that can be refused (filters and gates), and this one is a "
                f"{hook.kind.value} hook: what it is about cannot be refused. Leave on_error out, for {describe(function)}"
            )
        handler = bind(hook, function, timeout=timeout, on_error=on_error)
        if any(ignores):
            handler = _guarded(handler, *ignores)
        self._check_free(handler)
        self._handlers[hook.name] = handler
        self._changed()

    def _check_free(self, handler: Handler) -> None:
        name = handler.hook.name
        self._check_open(name, handler.location)
        if (first := self._handlers.get(name)) is not None:
            raise DuplicateHandler(
                f"{name} has a handler already, and a hook takes one at most:\n"
                f"  first:  {first.location}: {signature_of(first.function)}\n"
                f"  second: {handler.location}: {signature_of(handler.function)}\n"
                "Call the one from the other, or remove one."
            )

    def _check_open(self, what: str, location: str) -> None:
        if self._closed:
            raise RegistrationClosed(
                f"{what}: {location} comes too late: {self._closed}. Register handlers while the plugin's "
                "module is imported, before app.include() and app.run()."
            )

    def _decorate(self, name: Any, timeout: float | None, on_error: Reject | None, own: bool, bots: bool) -> Any:
        """What `hook` does for all its overloads: `name` is a hook's, or a function, or None."""

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            row = infer_hook(name_of(function)) if name is None else find_hook(name)
            self._register(row, function, timeout, on_error, (own, bots))
            return function

        if name is None:
            return register
        if isinstance(name, str):
            find_hook(name)  # a wrong name is told at the line that has it
            return register
        if not callable(name):
            raise RegistrationError(
                f"@app.hook takes a hook's name, not {name!r}: @app.hook(HookName.MessageWillBePosted)"
            )
        self._register(infer_hook(name_of(name)), name, timeout, on_error, (own, bots))
        return name


_DISMISS = 'take Reject("why"): Dismiss() is only for MessageWillBePosted'


def _guarded(handler: Handler, own: bool, bots: bool) -> Handler:
    hook = handler.hook
    if hook.post is None:
        about_posts = ", ".join(each.name for each in HOOKS.values() if each.post is not None)
        raise RegistrationError(
            f"{hook.name}: ignore_own and ignore_bots are for the hooks about a post ({about_posts}). Leave them out, for "
            f"{handler.location}"
        )
    from mmhooks.messages.guard import Guard

    route = Guard(hook.post, own, bots)
    return dataclasses.replace(handler, wanted=handler.wanted | {hook.post}, route=route)


def check_timeout(timeout: Any, what: str) -> None:
    """Raise `RegistrationError`, which begins with `what`, for a deadline that cannot be one."""
    if timeout is None or (type(timeout) in (int, float) and 0 < timeout <= LONGEST_TIMEOUT):
        return
    raise RegistrationError(f"{what}: expected seconds, more than 0 and at most {LONGEST_TIMEOUT:g}")


def _check_on_error(on_error: Any, what: str) -> None:
    if on_error is not None and not isinstance(on_error, Reject):
        raise RegistrationError(f'{what} takes Reject("why"), not {on_error!r}')
