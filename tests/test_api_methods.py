"""The typed methods: each is there twice, and passes on what it is given as Mattermost's interface wants it."""

from __future__ import annotations

import asyncio
import inspect
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from mmhooks import models
from mmhooks.api import AsyncPluginAPI, Link, PluginAPI
from mmhooks.api.calls import TIMEOUT, LoopCaller
from mmhooks.errors import APIError
from mmhooks.naming import snake

INTERFACE = json.loads((Path(__file__).parents[1] / "protos" / "interface.json").read_text(encoding="utf-8"))
STREAMING = {"InstallPlugin", "PluginHTTP", "UploadData"}
ROWS = {snake(row["name"]): row for row in INTERFACE["api"] if row["name"] not in STREAMING}


class Recorder(LoopCaller):
    """Keeps what it is asked, and answers with what it is told to."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.asked: list[tuple[str, Sequence[Any], float]] = []
        self.result: Any = None

    async def call(self, method: str, arguments: Sequence[Any], timeout: float) -> Any:
        self.asked.append((method, arguments, timeout))
        return self.result


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield Recorder(loop)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def call(recorder: Recorder, name: str, /, *arguments: Any, **named: Any) -> list[tuple[str, Sequence[Any], float]]:
    """What a method asks for, by either of its twins, which have to ask for the same."""
    link = Link()
    link.caller = recorder
    recorder.asked.clear()
    result = getattr(PluginAPI(link), name)(*arguments, **named)
    assert asyncio.run(getattr(AsyncPluginAPI(link), name)(*arguments, **named)) == result
    once, again = recorder.asked
    assert once == again
    return [once]


def methods_of(cls: type) -> list[str]:
    """Those of Mattermost's; the iterators over pages have tests of their own."""
    return [name for name, value in vars(cls).items() if inspect.isfunction(value) and not name.startswith("iter_")]


def sample(annotation: str) -> Any:
    """A value of a type."""
    type_ = annotation.removesuffix(" | None")
    plain: dict[str, Any] = {"str": "x", "int": 7, "bool": True, "bytes": b"b", "Any": 1}
    if type_ in plain:
        return plain[type_]
    if type_.startswith("list["):
        return [sample(type_[5:-1])]
    return {"k": "v"} if type_.startswith("dict[") else getattr(models, type_)()


def test_all_methods_are_there_but_those_that_take_streams() -> None:
    assert len(ROWS) == 234
    assert methods_of(PluginAPI) == methods_of(AsyncPluginAPI) == [*ROWS]


@pytest.mark.parametrize("name", ROWS)
def test_the_twins_differ_in_nothing_but_that_one_is_async(name: str) -> None:
    sync, not_sync = getattr(PluginAPI, name), getattr(AsyncPluginAPI, name)
    assert inspect.signature(sync) == inspect.signature(not_sync)
    assert sync.__doc__ == not_sync.__doc__
    assert inspect.iscoroutinefunction(not_sync)
    assert not inspect.iscoroutinefunction(sync)
    assert sync.__doc__.endswith(f"Mattermost's {ROWS[name]['name']}, since {ROWS[name]['since']}.\n        ")


@pytest.mark.parametrize("name", ROWS)
def test_arguments_arrive_in_gos_order(recorder: Recorder, name: str) -> None:
    row = ROWS[name]
    *parameters, timeout = [*inspect.signature(getattr(PluginAPI, name)).parameters.values()][1:]
    assert (timeout.name, timeout.kind, timeout.default) == ("timeout", timeout.KEYWORD_ONLY, TIMEOUT)
    recorder.result = b"{}" if name == "load_plugin_configuration" else None
    values = {parameter.name: sample(parameter.annotation) for parameter in parameters}
    if name.startswith("log_") and "audit" not in name:
        assert call(recorder, name, "text", "key", 5, timeout=9) == [(row["name"], ("text", ["key", 5]), 9)]
        return
    expected = (row["name"], tuple(values.values()), 9)
    assert call(recorder, name, *values.values(), timeout=9) == [expected]
    assert call(recorder, name, **values, timeout=9) == [expected]
    wire = row.get("wire", row)["parameters"]
    assert len(parameters) == len(wire)


@pytest.mark.parametrize("name", ROWS)
def test_defaults_come_last_and_are_sent(recorder: Recorder, name: str) -> None:
    *parameters, _ = [*inspect.signature(getattr(PluginAPI, name)).parameters.values()][1:]
    needed = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
    rest = [[] if p.kind is p.VAR_POSITIONAL else p.default for p in parameters[len(needed) :]]
    recorder.result = b"{}" if name == "load_plugin_configuration" else None
    values = [sample(parameter.annotation) for parameter in needed]
    assert call(recorder, name, *values) == [(ROWS[name]["name"], (*values, *rest), TIMEOUT)]


def test_settings_are_given_as_a_dict(recorder: Recorder) -> None:
    link = Link()
    link.caller = recorder
    for answer, settings in ((b'{"word": "w"}', {"word": "w"}), (b"", {}), (b"null", {})):
        recorder.result = answer
        assert PluginAPI(link).load_plugin_configuration() == settings
    recorder.result = b"[1]"
    with pytest.raises(APIError, match="LoadPluginConfiguration: expected a JSON object"):
        PluginAPI(link).load_plugin_configuration()


def test_a_key_that_is_not_there_is_none(recorder: Recorder) -> None:
    link = Link()
    link.caller = recorder
    for answer, value in ((b"v", b"v"), (b"", None)):
        recorder.result = answer
        assert PluginAPI(link).kv_get("k") == value


def test_a_plugin_loads_only_the_kind_that_it_uses() -> None:
    program = """
import sys
from mmhooks import App
app = App()
loaded = lambda: {name for name in sys.modules if name.startswith(("mmhooks.api", "mmhooks.models."))}
assert not loaded(), loaded()
app.api.get_user
assert loaded() == {"mmhooks.api", "mmhooks.api.calls", "mmhooks.api.methods", "mmhooks.api.pages"}, loaded()
app.async_api.get_user
assert "mmhooks.api.async_methods" in loaded()
"""
    ran = subprocess.run([sys.executable, "-c", program], text=True, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr
