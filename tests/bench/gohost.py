"""The Go host of the tests as the benchmark uses it: every failure ends the measurement."""

from __future__ import annotations

import queue
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from tests.bench.machine import PATIENCE, ROOT, CannotMeasure, Wire, go, python, settings
from tests.host_driver import GoHost, HostError


def build(folder: Path, package: str = ".") -> Path:
    """Compile the host, or a program beside it, into a folder if it is not there already.

    Raises `CannotMeasure` with the compiler's words.
    """
    program = folder / (package.removeprefix(".").removeprefix("/") or "gohost")
    if program.exists():
        return program
    command = [go() or "go", "build", "-o", str(program), package]
    built = subprocess.run(command, cwd=ROOT / "tests" / "gohost", capture_output=True, text=True, check=False)
    if built.returncode:
        raise CannotMeasure(f"{program.name} cannot be built:\n{built.stdout}{built.stderr}")
    return program


class Host:
    """A running host; all its plugins end with it.

    Arguments:
        program: the compiled host.
        folder: for what the plugins may write: compiled modules.
    """

    def __init__(self, program: Path, folder: Path) -> None:
        self._driver = GoHost(program)
        self._folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._driver.close()

    def start(
        self,
        plugin: str,
        file: Path,
        options: tuple[str, ...] = (),
        wire: Wire = "grpc",
        environ: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        """Start a plugin in Python and make it ready for calls. `options` are the interpreter's, `more` is the host's."""
        command = python(file)
        self.start_command(plugin, [command[0], *options, *command[1:]], wire, environ, **more)

    def start_command(
        self, plugin: str, command: list[str], wire: Wire, environ: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        """Start a plugin by its command and make it ready for calls; over net/rpc it is activated."""
        environ = {**settings(self._folder, wire), **(environ or {})}
        timeout = int(PATIENCE * 1000)
        self.ask(plugin, "start", cmd=command, env=environ, wire=wire, start_timeout_ms=timeout, **more)
        if wire == "grpc":
            self.ask(plugin, "call", hook="Implemented")
        else:
            self.ask(plugin, "activate")

    def ask(self, plugin: str, operation: str, **arguments: Any) -> Any:
        """The result of an operation. Raises `CannotMeasure` when it fails, or is not answered."""
        try:
            return self._driver.ask(operation, plugin=plugin, **arguments)
        except HostError as error:
            raise CannotMeasure(f"{plugin}: {operation} failed with {error}") from error
        except (OSError, queue.Empty) as error:
            raise CannotMeasure(f"{plugin}: the Go host does not answer to {operation}") from error

    def begin(self, plugin: str, operation: str, **arguments: Any) -> int:
        """Start an operation; `is_over` tells of its end."""
        return self._driver.begin(operation, plugin=plugin, **arguments)

    def is_over(self, number: int) -> bool:
        """Whether an operation that was begun has ended, by whatever."""
        try:
            self._driver.wait(number, timeout=0)
        except queue.Empty:
            return False
        except HostError:
            pass
        return True

    def wait(self, plugin: str, number: int, timeout: float) -> Any:
        """The result of an operation that was begun. Raises `CannotMeasure` when it fails, or is not answered."""
        try:
            return self._driver.wait(number, timeout)
        except HostError as error:
            raise CannotMeasure(f"{plugin}: {error}") from error
        except queue.Empty:
            raise CannotMeasure(f"{plugin}: the Go host has not answered within {timeout:g} s") from None

    def bench(self, plugin: str, hook: str, *, calls: int, callers: int = 1, **request: Any) -> dict[str, Any]:
        """Time calls of one hook; `request` is what the host sends (`request`; over net/rpc `args`, `post`).

        Raises `CannotMeasure` when one of them fails.
        """
        found: dict[str, Any] = self.ask(plugin, "bench", hook=hook, calls=calls, callers=callers, **request)
        if found["errors"]:
            raise CannotMeasure(f"{plugin}: {found['errors']} of {calls} calls failed, at last with {found['error']}")
        return found
