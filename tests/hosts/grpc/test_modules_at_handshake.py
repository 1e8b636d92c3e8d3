"""What is loaded when a plugin shakes hands: a plugin has 3 s for it on a busy machine, and every import counts."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.conftest import Start

THIRD_PARTY = {"google", "grpc", "grpc_health", "msgspec", "typing_extensions"}
# Cython's own, and what grpc imports where it finds it, as in this suite's environment; plugins have none of it.
THIRD_PARTY |= {"cython_runtime", "grpc_tools"}

OURS = {
    "mmhooks",
    "mmhooks.app",
    "mmhooks.binding",
    "mmhooks.blueprint",
    "mmhooks.decorators",
    "mmhooks.dispatch",
    "mmhooks.errors",
    "mmhooks.hooks",
    "mmhooks.hosts",
    "mmhooks.hosts.arrival",
    "mmhooks.hosts.grpc",
    "mmhooks.hosts.grpc.calls",
    "mmhooks.hosts.grpc.descriptors",
    "mmhooks.hosts.grpc.goplugin",
    "mmhooks.hosts.grpc.messages",
    "mmhooks.hosts.grpc.server",
    "mmhooks.hosts.grpc.servicer",
    "mmhooks.hosts.handshake",
    "mmhooks.hosts.implemented",
    "mmhooks.hosts.loop",
    "mmhooks.hosts.sockets",
    "mmhooks.launch",
    "mmhooks.lifeline",
    "mmhooks.limits",
    "mmhooks.log",
    "mmhooks.models",
    "mmhooks.models.files",
    "mmhooks.models.model",
    "mmhooks.models.posts",
    "mmhooks.models.users",
    "mmhooks.outcomes",
    "mmhooks.threads",
    "mmhooks.watchdog",
}

SOURCE = """
    import json, os, sys
    from mmhooks import App, Post, Reject, launch

    write_handshake = launch.Launch.write_handshake

    def write_modules_first(self, line):
        with open(os.environ["MODULES_FILE"], "w") as file:
            json.dump(sorted(sys.modules), file)
        write_handshake(self, line)

    launch.Launch.write_handshake = write_modules_first
    app = App()

    @app.hook
    def message_will_be_posted(post: Post):
        return None

    app.run()
"""


def test_nothing_but_what_the_handshake_needs_is_loaded_before_it(start_plugin: Start, tmp_path: Path) -> None:
    file = tmp_path / "modules"
    start_plugin(SOURCE, {"MODULES_FILE": str(file)})
    loaded = json.loads(file.read_text())
    ours = {name for name in loaded if name.partition(".")[0] == "mmhooks"}
    assert ours <= OURS, f"loaded before the handshake without need: {sorted(ours - OURS)}"
    others = {name.partition(".")[0] for name in loaded} - {"mmhooks", "__main__", "__mp_main__"}
    others -= {name for name in others if name in sys.stdlib_module_names or name.startswith("_")}
    assert others <= THIRD_PARTY, f"libraries loaded before the handshake without need: {sorted(others - THIRD_PARTY)}"


def test_pydantic_is_loaded_only_to_check_something(start_plugin: Start, tmp_path: Path) -> None:
    file = tmp_path / "modules"
    start_plugin(SOURCE, {"MODULES_FILE": str(file), "MATTERMOST_PLUGIN_ID": "a.plugin"})
    assert "pydantic" not in json.loads(file.read_text())
    start_plugin(SOURCE, {"MODULES_FILE": str(file), "MATTERMOST_PLUGIN_HOOK_TIMEOUT": "2.5"})
    assert "pydantic" in json.loads(file.read_text())
