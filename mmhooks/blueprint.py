"""Blueprint: collects handlers, so that a plugin can be spread over modules; the app is one itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from mmhooks.binding import Handler, bind, describe, name_of, signature_of
from mmhooks.decorators import HookDecorator
from mmhooks.errors import DuplicateHandler, RegistrationClosed, RegistrationError
from mmhooks.hooks import HOOKS, Hook, HookName, find_hook, infer_hook
from mmhooks.limits import LONGEST_TIMEOUT
from mmhooks.outcomes import Dismiss, Reject


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
        self._closed = ""

    def include(self, blueprint: Blueprint) -> None:
        """Take over all handlers of `blueprint`, which takes no more from then on.

        Raises `DuplicateHandler`, and takes over none, when a hook has a handler on both sides.
        """
        for name in blueprint.registered_hooks():
            self._check_free(blueprint._handlers[name])
        for name in blueprint.registered_hooks():
            handler = blueprint._handlers[name]
            if handler.on_error is None and handler.hook.kind.may_reject and blueprint.on_error is not None:
                handler = dataclasses.replace(handler, on_error=blueprint.on_error)
            self._handlers[name] = handler
        # A handler that came later would be lost without a word.
        blueprint._closed = blueprint._closed or "its blueprint was included before"

    def has_hook(self, name: str) -> bool:
        """Whether a hook has a handler. Raises `UnknownHook` for a name that is no hook."""
        return find_hook(name).name in self._handlers

    def registered_hooks(self) -> list[str]:
        """The hooks with a handler, in the order of Mattermost's `hooks.go`."""
        return [name for name in HOOKS if name in self._handlers]

    def _register(
        self, hook: Hook, function: Callable[..., Any], timeout: float | None, on_error: Reject | None
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
        self._check_free(handler)
        self._handlers[hook.name] = handler

    def _check_free(self, handler: Handler) -> None:
        name = handler.hook.name
        if self._closed:
            raise RegistrationClosed(
                f"{name}: {handler.location} comes too late: {self._closed}. Register handlers while the plugin's "
                "module is imported, before app.include() and app.run()."
            )
        if (first := self._handlers.get(name)) is not None:
            raise DuplicateHandler(
                f"{name} has a handler already, and a hook takes one at most:\n"
                f"  first:  {first.location}: {signature_of(first.function)}\n"
                f"  second: {handler.location}: {signature_of(handler.function)}\n"
                "Call the one from the other, or remove one."
            )

    def _decorate(self, name: Any, timeout: float | None, on_error: Reject | None) -> Any:
        """What `hook` does for all its overloads: `name` is a hook's, or a function, or None."""

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            row = infer_hook(name_of(function)) if name is None else find_hook(name)
            self._register(row, function, timeout, on_error)
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
        self._register(infer_hook(name_of(name)), name, timeout, on_error)
        return name


_DISMISS = 'take Reject("why"): Dismiss() is only for MessageWillBePosted'


def check_timeout(timeout: Any, what: str) -> None:
    """Raise `RegistrationError`, which begins with `what`, for a deadline that cannot be one."""
    if timeout is None or (type(timeout) in (int, float) and 0 < timeout <= LONGEST_TIMEOUT):
        return
    raise RegistrationError(f"{what}: expected seconds, more than 0 and at most {LONGEST_TIMEOUT:g}")


def _check_on_error(on_error: Any, what: str) -> None:
    if on_error is not None and not isinstance(on_error, Reject):
        raise RegistrationError(f'{what} takes Reject("why"), not {on_error!r}')
