"""Makes the modules of the plugin API's typed methods, sync and async, with the iterators of those that give pages."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from .api_iterators import code, iterator
from .api_methods import WIDTH, Method, docstring, methods, takes_settings
from .models import all_models


def generate() -> Iterator[tuple[str, str]]:
    """The files of both kinds of methods, with their paths."""
    yield "mmhooks/api/methods.py", _module("PluginAPI", "Calls", "sync code, in any thread but the event loop's", "")
    yield (
        "mmhooks/api/async_methods.py",
        _module("AsyncPluginAPI", "AsyncCalls", "async code, on any event loop", "async "),
    )


def _module(cls: str, calls: str, whom: str, prefix: str) -> str:
    found = methods()
    iterators = {method.name: paged for method in found if (paged := iterator(method))}
    texts = [text for method in found for text in (method.signature, method.result)]
    texts += [text for paged in iterators.values() for text in (paged.signature, paged.item)]
    words = {word for text in texts for word in re.findall(r"\w+", text)}
    models = sorted(words & {name for classes in all_models().values() for name in classes})
    lines = [f'"""Every method of the plugin API, for {whom}."""', "", "from __future__ import annotations", ""]
    twin = "async_" if prefix else ""
    kind = "Async" if prefix else ""
    lines += [f"from collections.abc import {kind}Iterator", "from typing import TYPE_CHECKING, Any", ""]
    lines += [f"from mmhooks.api.{twin}pages import cursor_pages, option_pages, pages"]
    lines += [f"from mmhooks.api.calls import TIMEOUT, {calls}, read_settings", "", "if TYPE_CHECKING:"]
    lines += [f"    from mmhooks.models import {', '.join(models)}", "", ""]
    lines += [f"class {cls}({calls}):", f'    """The plugin API for {whom}.', ""]
    lines += [*textwrap.wrap(_COMMON, WIDTH, initial_indent="    ", subsequent_indent="    "), '    """']
    for method in found:
        lines += ["", f"    {prefix}def {method.name}(self, {method.signature}) -> {method.result}:"]
        lines += textwrap.indent(f'"""{docstring(method)}"""', "        ").splitlines()
        lines.append(f"        {_body(method, 'await ' if prefix else '')}")
        if method.name in iterators:
            lines += ["", *code(iterators[method.name], kind)]
    return "\n".join(lines) + "\n"


_COMMON = (
    "Each method takes `timeout`, the seconds for its answer. Besides what it says itself, each may raise `DeadlineExceeded`, "
    "`HostUnavailable` when no host offers the API or it is gone, `UnsupportedByHost` when this host does not have the method or "
    "a field, and `ModelError` for an argument that cannot be sent."
)


def _body(method: Method, await_: str) -> str:
    arguments = "".join(
        f", [{parameter.name}]" if parameter.is_variadic else f", {parameter.name}" for parameter in method.parameters
    )
    call = f'{await_}self.call("{method.go}"{arguments}, timeout=timeout)'
    if takes_settings(method.go):
        return f"return read_settings({call})"
    if method.result == "None":
        return call
    if method.result == "bytes | None":  # on the wires nothing and no bytes are the same
        return f"return {call} or None"
    return f"return {call}"
