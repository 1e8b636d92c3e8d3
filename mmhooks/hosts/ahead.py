"""Serves a host from before the plugin's modules are imported on, as a bundle's launcher does.

A server gives 3 s for the handshake (the gRPC host 10 s), and a plugin's own imports may take longer. So the host is
served in a thread, which shakes hands, answers pings and lets calls wait, while the main thread runs the plugin's file.
A plugin that cannot be imported is served all the same: its activation fails with the reason, which so reaches the
server's list of plugins, where a process that ended would only have been "failed to start".
"""

from __future__ import annotations

import importlib.machinery
import logging
import os
import sys
import threading
import traceback
import types

from mmhooks import hosts
from mmhooks import launch as launching
from mmhooks.app import App
from mmhooks.errors import AppError
from mmhooks.hooks import HookName
from mmhooks.hosts.arrival import Arrival
from mmhooks.limits import Limits, needs_checking
from mmhooks.log import authors_part
from mmhooks.threads import where

logger = logging.getLogger("mmhooks")


def run(file: str) -> None:
    """Run a plugin's file as the program, while the host that started this process is already served.

    Exits as `App.run` does where there is no host, or one that cannot be served.
    """
    if launching.launched is None:
        execute(file)  # whose app.run() explains itself
        return
    ahead = _Ahead(file, launching.launched)
    ahead.shake_hands()
    ahead.import_plugin()


class _Ahead:
    def __init__(self, file: str, launch: launching.Launch) -> None:
        self._file = file
        self._launch = launch
        self._arrival = Arrival()
        self._shaken = False
        self._settled = threading.Event()  # whether the hands could be shaken
        self._importing = True
        self._thread = threading.Thread(target=self._serve, name="mmhooks-host", daemon=True)
        self._status = 0

    def shake_hands(self) -> None:
        self._server = hosts.prepare(self._launch.environ, self._limits)
        hosts.hand_over = self._take
        self._thread.start()
        self._settled.wait()
        if not self._shaken:
            sys.exit(self._status)

    def import_plugin(self) -> None:
        try:
            execute(self._file)
        except BaseException as error:  # SystemExit too: nobody but the host ends a plugin
            if not self._importing:
                raise
            self._give_up(error)
        else:
            if self._importing:
                reason = f"{self._name} ended without app.run(), which has to be its last line"
                logger.error("%s", reason)
                self._stand_in(reason)

    def _limits(self) -> Limits:
        if not needs_checking(self._launch.environ):
            return Limits()
        from mmhooks.config import RuntimeConfig

        return RuntimeConfig.from_environ(self._launch.environ).limits

    def _serve(self) -> None:
        try:
            self._server.serve(self._arrival, self._launch, self._shake)
        except SystemExit as error:
            self._status = error.code if isinstance(error.code, int) else 1
        except Exception:
            logger.exception("the host cannot be served any longer")
            self._status = 1
        self._settled.set()
        if self._shaken and self._importing:
            # The host has said stop, and the import may never end.
            if self._arrival.app is not None:  # another app stands in for the one that was too late
                self._status = 1
            self._launch.tell_the_rest()
            os._exit(self._status)

    def _shake(self) -> None:
        self._shaken = True
        self._settled.set()

    def _take(self, app: App) -> None:
        """What `app.run()` does under a host that is served already."""
        self._importing = False
        if not self._arrival.put(app) and self._arrival.app is not app:
            self._status = 1
            logger.error(
                "%s has been imported at last, too late for its host, which counts it as failed: switch the plugin off "
                "and on again, and move slow work from its modules to OnActivate",
                self._name,
            )
        self._thread.join()
        if self._status:
            sys.exit(self._status)

    def _give_up(self, error: BaseException) -> None:
        exc_info = (type(error), error, authors_part(error.__traceback__))
        logger.error("%s could not be imported", self._name, exc_info=exc_info)
        what = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
        if isinstance(error, SyntaxError):
            what += f" ({os.path.basename(error.filename or '?')}, line {error.lineno})"
        elif isinstance(error, ModuleNotFoundError):
            what += (
                " (is it among the dependencies of the plugin? A bundle uses nothing that is installed on the server)"
            )
        self._stand_in(f"{self._name} could not be imported: {what}")

    def _stand_in(self, reason: str) -> None:
        self._importing = False
        self._arrival.put(failing_app(reason))
        self._thread.join()
        sys.exit(1)

    @property
    def _name(self) -> str:
        return os.path.basename(self._file)


def failing_app(reason: str) -> App:
    """An app whose activation fails with this reason, in place of one that did not come."""
    app = App()

    async def start_plugin() -> None:
        raise AppError(reason)

    start_plugin.__qualname__ = start_plugin.__name__  # as the log has it
    app.hook(HookName.OnActivate)(start_plugin)
    return app


def where_main_is() -> str:
    """File and line at which the main thread stands, which imports the plugin."""
    return where(sys._current_frames().get(threading.main_thread().ident or 0))


def execute(file: str) -> None:
    """Run a file as `__main__`, by its byte-code if it has some."""
    loader = importlib.machinery.SourceFileLoader("__main__", file)
    main = types.ModuleType("__main__")
    main.__file__ = file
    main.__loader__ = loader
    sys.modules["__main__"] = main
    code = loader.get_code("__main__")
    assert code is not None
    exec(code, main.__dict__)
