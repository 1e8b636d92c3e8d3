"""A plugin under the real Go host, the same for either wire."""

from __future__ import annotations

import textwrap
from typing import Any

from mmhooks.hooks import HOOKS
from tests.conftest import Start
from tests.host_driver import GoPlugin

LETTERS = "ABCDEFGH"


class Served:
    """A plugin with the plugin API at hand."""

    def __init__(self, plugin: GoPlugin, wire: str) -> None:
        self.plugin = plugin
        self.wire = wire

    def activate(self) -> None:
        """Have the plugin activated, which must succeed."""
        if self.wire == "netrpc":
            answer = self.plugin.activate()["reply"]
        elif "OnActivate" in self.plugin.call("Implemented")["hooks"]:
            answer = self.plugin.call("OnActivate")
        else:
            return
        assert answer in ({}, {"A": None}), answer

    def call(self, hook: str, **arguments: Any) -> dict[str, Any]:
        """Call a hook; arguments by the hook's names, in Mattermost's JSON."""
        if self.wire == "grpc":
            return self.plugin.call(hook, arguments)
        letters = {parameter.name: LETTERS[index] for index, parameter in enumerate(HOOKS[hook].parameters)}
        reply: dict[str, Any] = self.plugin.call_rpc(hook, {letters[name]: value for name, value in arguments.items()})[
            "reply"
        ]
        return reply

    def answer(self, method: str, *, failure: str = "", **answer: Any) -> None:
        """Have a method of the plugin API answered so from now on; a failure is a text of the wire's own."""
        if failure:
            grpc = {"grpc_status": {"code": "INTERNAL", "message": failure}}
            answer |= grpc if self.wire == "grpc" else {"error": failure}
        self.plugin.set_answers({method: answer})


def serve(start_plugin: Start, source: str, wire: str) -> Served:
    """Start a plugin over a wire."""
    more = {"with_api": True} if wire == "grpc" else {}
    return Served(start_plugin(textwrap.dedent(source), wire=wire, start_timeout_ms=20_000, **more), wire)
