"""One call of a hook, and many at a time, from a real host."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, ratio
from tests.bench.gohost import Host
from tests.bench.machine import PROGRAMS, ROOT, CannotMeasure

HOOK = "MessageWillBePosted"
CALLERS = 64

MESSAGE = ("The quick brown fox jumps over the lazy dog. " * 5)[:200]

REQUEST: dict[str, Any] = {
    "context": {},
    "plugin_context": {
        "session_id": "ns4b5k6z1jgj9mcq1n3oyuqd9a",
        "request_id": "u8m5x7y3hif4tq9c1k6d2w8pro",
        "ip_address": "203.0.113.7",
        "accept_language": "en-GB,en;q=0.9",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    },
    "post": {
        "user_id": "k3w9a7rtzjfz8e6h5c4x2v1bny",
        "channel_id": "d5f6g7h8j9k1l2m3n4b5v6c7x8",
        "message": MESSAGE,
        "create_at": "1732341600000",
        "pending_post_id": "k3w9a7rtzjfz8e6h5c4x2v1bny:1732341600000",
        "props": {
            "from_webhook": "false",
            "disable_group_highlight": True,
            "priority": 3,
            "mentions": ["ann", "bob"],
            "card": {"title": "Lunch", "text": "At noon"},
        },
    },
}
"""A post as a person writes it: 200 characters and five props, in protojson."""

_ANSWER = {"modified_post": {**REQUEST["post"], "message": MESSAGE + "!"}}


def generate_messages(folder: Path) -> None:
    """Have protoc make the modules that a plugin without mmhooks uses."""
    protos = ROOT / "protos"
    files = [file.name for file in sorted(protos.glob("*.proto"))]
    options = [f"--proto_path={protos}", f"--python_out={folder}", f"--grpc_python_out={folder}"]
    command = [sys.executable, "-m", "grpc_tools.protoc", *options, *files]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise CannotMeasure(f"protoc failed:\n{made.stderr}")


def start_all(host: Host, generated: Path) -> None:
    """Start the three plugins, and see that they answer the same."""
    host.start("bare", PROGRAMS / "bare_hooks.py", environ={"PYTHONPATH": str(generated)})
    host.start("async", PROGRAMS / "async_plugin.py")
    host.start("sync", PROGRAMS / "sync_plugin.py")
    for plugin in ("bare", "async", "sync"):
        answer = host.ask(plugin, "call", hook=HOOK, request=REQUEST)["response"]
        if answer != _ANSWER:
            raise CannotMeasure(f"{plugin}: answered {answer}, expected {_ANSWER}")


def measure(host: Host, generated: Path, runs: int, calls: int) -> list[Figure]:
    """The figures of `runs` rounds over the three plugins, after one round that is not counted."""
    start_all(host, generated)
    times: dict[str, list[float]] = {"bare": [], "async": [], "sync": []}
    rates: dict[str, list[float]] = {"bare": [], "async": [], "sync": []}
    for _ in range(runs + 1):
        for plugin, found in times.items():
            found.append(host.bench(plugin, HOOK, calls=calls, request=REQUEST)["median_us"])
    for _ in range(runs + 1):
        for plugin, found in rates.items():
            found.append(host.bench(plugin, HOOK, calls=4 * calls, callers=CALLERS, request=REQUEST)["per_second"])
    for found in (*times.values(), *rates.values()):
        del found[0]
    for plugin in times:
        host.ask(plugin, "kill")
    return [
        *(
            ratio(f"call: one at a time, {kind} handler", times["bare"], times[kind], unit="µs", target=target)
            for kind, target in (("async", 1.4), ("sync", 2.0))
        ),
        *(
            ratio(
                f"call: throughput of {CALLERS} callers, {kind} handler",
                rates["bare"],
                rates[kind],
                unit="/s",
                target=target,
                at_least=True,
            )
            for kind, target in (("async", 0.65), ("sync", 0.5))
        ),
    ]
