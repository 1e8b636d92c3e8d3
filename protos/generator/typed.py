"""Makes what type checkers and completion need to know of each hook: the decorator's overloads, the client's methods."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

from mmhooks.hooks import HOOKS, Hook, Kind

from .contract import notes


def generate() -> Iterator[tuple[str, str]]:
    """The files of the decorator and of the test client's methods, by their paths."""
    yield "mmhooks/decorators.py", _decorators()
    yield "mmhooks/testing/calls.py", _calls()


def _allowed(hook: Hook) -> str:
    """The annotation of what a handler of this hook may return."""
    if hook.kind in (Kind.NOTIFY, Kind.FALLIBLE, Kind.STREAM):
        return "None"
    if hook.kind is Kind.GATE:
        return "Reject | None"
    if hook.kind is Kind.FILTER:
        return hook.result.replace("None", "Reject | None")
    return hook.result


def _decorators() -> str:
    groups: dict[tuple[str, bool, bool], list[Hook]] = {}
    for hook in HOOKS.values():
        groups.setdefault((_allowed(hook), hook.kind.may_reject, hook.post is not None), []).append(hook)
    variables = {result: _variable(result) for result, _, _ in groups}
    lines = [
        '"""The `hook` decorator with an overload for each kind of answer, so that type checkers see wrong ones."""'
    ]
    lines += ["", "from __future__ import annotations", "", "from collections.abc import Awaitable, Callable"]
    lines += ["from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload", ""]
    lines += ["from mmhooks.hooks import HookName", "from mmhooks.outcomes import Reject", ""]
    lines += ["if TYPE_CHECKING:", f"    from mmhooks.models import {', '.join(_models(variables))}", ""]
    lines += ['_F = TypeVar("_F", bound=Callable[..., Any])']
    for result, variable in variables.items():
        lines.append(f'{variable} = TypeVar("{variable}", bound="Callable[..., Awaitable[{result}] | {result}]")')
    lines += ["", "", "class HookDecorator:", '    """Has the decorator `hook`."""']
    for (result, may_reject, about_a_post), hooks in groups.items():
        names = ", ".join(f'HookName.{hook.name}, "{hook.name}"' for hook in hooks)
        more = ", on_error: Reject | None = None" if may_reject else ""
        more += _IGNORE if about_a_post else ""
        variable = variables[result]
        lines += [
            "",
            "    @overload",
            f"    def hook(self, name: Literal[{names}], *, timeout: float | None = None{more}) ",
        ]
        lines[-1] += f"-> Callable[[{variable}], {variable}]: ..."
    lines += ["", "    @overload", "    def hook(self, name: _F) -> _F: ..."]
    lines += ["", "    @overload", "    def hook(self, name: None = None, *, timeout: float | None = None, "]
    lines[-1] += f"on_error: Reject | None = None{_IGNORE}) -> Callable[[_F], _F]: ..."
    # For names that are known only when the plugin runs: without on_error, or hooks that take none would match it.
    lines += ["", "    @overload"]
    lines += ["    def hook(self, name: str, *, timeout: float | None = None) -> Callable[[_F], _F]: ..."]
    lines += [
        "",
        "    def hook(self, name: Any = None, *, timeout: float | None = None, on_error: Reject | None = None"
        f"{_IGNORE}) -> Any:",
    ]
    lines += textwrap.indent(_HOOK_DOC, "        ").splitlines()
    lines += ["        return self._decorate(name, timeout, on_error, ignore_own, ignore_bots)", ""]
    lines += [
        "    def _decorate(self, name: Any, timeout: float | None, on_error: Reject | None, own: bool, bots: bool) "
    ]
    lines[-1] += "-> Any:"
    lines += ["        raise NotImplementedError"]
    return "\n".join(lines) + "\n"


_IGNORE = ", ignore_own: bool = False, ignore_bots: bool = False"

_HOOK_DOC = '''"""Register the function below as the handler of a hook.

Used as `@app.hook(HookName.MessageWillBePosted)`, as `@app.hook("MessageWillBePosted")`, or bare, as
`@app.hook`: then the function is called like the hook, in snake_case.

Arguments:
    name: the hook.
    timeout: seconds for one call, in place of the app's.
    on_error: for filters and gates: what is answered when the handler raises or is late.
    ignore_own: for hooks about a post: leave out posts of plugins. They carry a mark, which does not say whose they are,
        so that those of other plugins are left out as well.
    ignore_bots: the same for posts of bots and webhooks.

Result: the function, as it was. The function takes any of the hook's parameters by their names, or all of
them in the hook's order, and may be async.

Raises `UnknownHook`, `DuplicateHandler`, `HandlerMismatch` or `RegistrationClosed`.
"""'''


def _variable(result: str) -> str:
    answers = re.sub(r"list\[(\w+)\]", r"\1List", result.replace(" | None", "")).split(" | ")
    return "_" + "Or".join(answer[0].upper() + answer[1:] for answer in answers)


def _models(types: Iterable[str]) -> list[str]:
    words = {word for type_ in types for word in re.findall(r"\w+", type_)}
    return sorted(
        words - {"None", "Reject", "list", "str", "int", "bool", "Any", "dict", "BinaryIO", "Request", "Response"}
    )


def _calls() -> str:
    hooks = [hook for hook in HOOKS.values() if not hook.has_streams]
    used = [parameter.type for hook in hooks for parameter in hook.parameters] + [hook.result for hook in hooks]
    lines = ['"""One method a hook: what the test client and the live one have in common."""', ""]
    lines += ["from __future__ import annotations", "", "from typing import TYPE_CHECKING, Any, Literal", ""]
    lines += ["from mmhooks.testing.results import Result", "", "if TYPE_CHECKING:"]
    lines += [f"    from mmhooks.models import {', '.join(_models(used))}", ""]
    lines += [
        "",
        "class HookCalls:",
        '    """Calls hooks; a subclass says how. What is left out arrives as None."""',
        "",
    ]
    lines += ["    def call(self, name: str, /, **arguments: Any) -> Result[Any]:"]
    lines += ['        """Call a hook by its canonical name."""', "        raise NotImplementedError"]
    for hook in hooks:
        lines += ["", *_method(hook)]
    lines += textwrap.indent(_RUN_COMMAND, "    ").splitlines()
    return "\n".join(lines) + "\n"


_RUN_COMMAND = '''
def run_command(
    self,
    command: str,
    *,
    user_id: str = "",
    channel_id: str = "",
    team_id: str = "",
    root_id: str = "",
    context: Context | None = None,
) -> Result[CommandResponse]:
    """A user types a slash command: `run_command("/weather Paris")`."""
    from mmhooks.models import CommandArgs

    args = CommandArgs(command=command, user_id=user_id, channel_id=channel_id, team_id=team_id, root_id=root_id)
    return self.execute_command(args, context)
'''


def _method(hook: Hook) -> list[str]:
    ordered = [p for p in hook.parameters if p.name != "context"] + [p for p in hook.parameters if p.name == "context"]
    parameters = "".join(f", {p.name}: {p.type.removesuffix(' | None')} | None = None" for p in ordered)
    passed = "".join(f", {p.name}={p.name}" for p in hook.parameters)
    note = notes()[hook.name]["summary"]
    return [
        f"    def {hook.method}(self{parameters}) -> Result[{_result(hook)}]:",
        f'        """{note}"""',
        f'        return self.call("{hook.name}"{passed})',
    ]


def _result(hook: Hook) -> str:
    """The type of `value`: what the server goes on with."""
    if hook.kind is Kind.FILTER:
        # What the server goes on with: the replacement, or the argument that the hook is about.
        return hook.result.replace(" | None", "").split(" | ")[-1]
    return hook.result.replace(" | None", "") if hook.result else "None"
