"""From a bundle to a running plugin, or to the reason why it does not run."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest
import trustme

from mmhooks.deploy.bundle import Bundle
from mmhooks.deploy.deployment import Deployment
from mmhooks.deploy.server import Server
from mmhooks.errors import DeployError
from tests.deploy.conftest import ID, MakeBundle, Run, program
from tests.deploy.rest_server import DROP, NGINX, SILENCE, TOKEN, Answer, RestServer

DEPLOYED = ["POST /plugins", f"POST /plugins/{ID}/enable", "GET /plugins/statuses"]
REASON = "unable to start plugin: com.example.hello: timeout while waiting for plugin to start"


class Deploying:
    """A deployment whose waits take no time: each look is a second after the one before."""

    def __init__(self, rest: RestServer, timeout: float = 60.0) -> None:
        self.said: list[str] = []
        self.now = 0.0
        self._server = Server.over(rest.address) if rest.local else Server.at(rest.address, TOKEN)
        self._deployment = Deployment(
            self._server,
            self.said.append,
            timeout=timeout,
            interval=1.0,
            clock=lambda: self.now,
            sleep=self._sleep,
        )

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def deploy(self, bundle: Path) -> None:
        with self._server:
            self._deployment.deploy(Bundle.read(bundle))

    def fails(self, bundle: Path) -> str:
        with pytest.raises(DeployError) as failed:
            self.deploy(bundle)
        assert TOKEN not in str(failed.value)
        return str(failed.value)


def test_plugin_is_uploaded_enabled_and_waited_for(rest: RestServer, make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle = make_bundle()
    done = program("deploy", str(bundle), rest=rest, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"Uploading {bundle} (0.2 kB) to {rest.address}",
        "Installed com.example.hello 0.1.0",
        "Enabling com.example.hello",
        "Running com.example.hello 0.1.0",
    ]
    assert rest.uploads == [bundle.read_bytes()]
    assert rest.requests == [*DEPLOYED, "GET /plugins/statuses"]  # the first look found it not running yet


def test_local_mode_needs_no_token(make_bundle: MakeBundle, tmp_path: Path) -> None:
    make_bundle()
    with RestServer(local=tmp_path / "local.socket") as rest:
        rest.starts = {"": [(2, "")]}
        done = program("deploy", rest=rest, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(
        f"Uploading dist/com.example.hello-0.1.0.tar.gz (0.2 kB) to {tmp_path}/local.socket\n"
    )
    assert done.stdout.endswith("Running com.example.hello 0.1.0\n")
    assert rest.requests == [*DEPLOYED[:2], "GET /plugins"]


def test_tls_with_an_authority_of_ones_own(
    tls: ssl.SSLContext, authority: trustme.CA, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    bundle = make_bundle(filling=bytes(3_000_000))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with RestServer(tls=tls, subpath="/chat") as rest:
        done = program("deploy", "--ca", "ca.pem", "--server", f"{rest.address}/", rest=rest, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert rest.uploads == [bundle.read_bytes()]
        assert f"to {rest.address}\n" in done.stdout
        refused = program("deploy", rest=rest, folder=tmp_path)
        insecure = program("deploy", "--insecure", rest=rest, folder=tmp_path)
    assert refused.returncode == 1
    assert f"Error: {rest.address}: its certificate is not trusted: unable to get local issuer" in refused.stderr
    assert "--ca FILE; or --insecure" in refused.stderr
    assert insecure.returncode == 0, insecure.stderr


def test_plugin_with_the_same_id_is_replaced(rest: RestServer, make_bundle: MakeBundle) -> None:
    rest.install(ID, "0.1.0", enabled=True)
    deploying = Deploying(rest)
    deploying.deploy(make_bundle("0.2.0"))
    assert deploying.said[-1] == "Running com.example.hello 0.2.0"


def test_without_enabling_the_upload_is_all(rest: RestServer, make_bundle: MakeBundle, run: Run) -> None:
    make_bundle()
    result = run("deploy", "--no-enable", rest=rest)
    assert result.exit_code == 0
    assert result.output.endswith("Installed com.example.hello 0.1.0\n")
    assert rest.requests == ["POST /plugins"]


def test_newest_bundle_is_taken(rest: RestServer, make_bundle: MakeBundle, run: Run) -> None:
    os.utime(make_bundle("0.3.0"), (3, 3))
    os.utime(make_bundle("0.2.0"), (2, 2))
    assert run("deploy", "--no-enable", rest=rest).exit_code == 0
    assert rest.plugins[ID].manifest["version"] == "0.3.0"


def test_ids_are_in_lower_case_as_on_the_server(rest: RestServer, make_bundle: MakeBundle) -> None:
    deploying = Deploying(rest)
    deploying.deploy(make_bundle(plugin_id="com.Example.Hello"))
    assert deploying.said[-1] == "Running com.example.hello 0.1.0"
    assert rest.requests[1] == f"POST /plugins/{ID}/enable"


def test_plugin_that_does_not_start_fails_with_the_servers_reason(
    rest: RestServer, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    make_bundle()
    rest.starts = {"": [(3, REASON)]}
    rest.write("Plugin failed to start", plugin_id="com.example.other")
    rest.write("no module named wordlist", level="error", traceback="Traceback:\n  File plugin.py")
    done = program("deploy", rest=rest, folder=tmp_path)
    assert done.returncode == 1
    assert done.stdout.endswith("Enabling com.example.hello\n")
    assert done.stderr.splitlines() == [
        f"Error: com.example.hello failed to start: {REASON}",
        "The plugin's last lines in the server's log (more with `mmhooks logs com.example.hello`):",
        "  2026-01-02 10:11:00.002 Z  error  no module named wordlist",
        "      traceback:",
        "      Traceback:",
        "        File plugin.py",
    ]


def test_older_servers_give_no_reason_but_a_place_to_look(rest: RestServer, make_bundle: MakeBundle) -> None:
    rest.starts = {"": [(4, "")]}
    assert Deploying(rest).fails(make_bundle()).splitlines() == [
        "com.example.hello failed to stay running",
        "The server gives no reason.",
        "The reason may be in the server's log: mmhooks logs com.example.hello",
    ]


def test_local_mode_tells_only_that_it_does_not_run(make_bundle: MakeBundle, tmp_path: Path) -> None:
    with RestServer(local=tmp_path / "local.socket") as rest:
        rest.starts = {"": [(3, REASON)]}
        rest.write("Unable to activate plugin", level="error", error=REASON)
        text = Deploying(rest).fails(make_bundle())
    assert text.startswith("com.example.hello failed to start\nThe server gives no reason.\n")
    assert f'error  Unable to activate plugin  error="{REASON}"' in text


def test_plugin_that_was_enabled_and_fails_already_while_it_is_replaced(
    rest: RestServer, make_bundle: MakeBundle
) -> None:
    rest.install(ID, enabled=True)
    rest.starts = {"": [(3, REASON)]}
    text = Deploying(rest).fails(make_bundle("0.2.0"))
    assert text.startswith(f"com.example.hello failed to start: {REASON}\n")
    assert rest.requests[:2] == ["POST /plugins", "GET /plugins/statuses"]


def test_such_a_failure_without_a_reason_shows_the_servers_answer(rest: RestServer, make_bundle: MakeBundle) -> None:
    rest.install(ID, enabled=True)
    rest.starts = {"": [(3, "")]}
    lines = Deploying(rest).fails(make_bundle("0.2.0")).splitlines()
    assert lines[0] == "com.example.hello failed to start"
    assert lines[1].endswith("Unable to restart plugin on upgrade. (app.plugin.restart.app_error)")
    assert lines[2] == "The server's log says more, under the request_id ayyx7t3cpbdubfcodmz4nomqzc."


def test_plugin_that_never_runs_is_told_with_its_state(rest: RestServer, make_bundle: MakeBundle) -> None:
    rest.starts = {"": [(1, "")]}
    deploying = Deploying(rest, timeout=20)
    assert deploying.fails(make_bundle()).startswith("com.example.hello does not run after 20 s: 0.1.0 is starting\n")
    assert deploying.now == 20


def test_state_of_a_future_server_is_told_by_its_number(rest: RestServer, make_bundle: MakeBundle) -> None:
    rest.starts = {"": [(7, "")]}
    assert "after 1 s: 0.1.0 is in state 7\n" in Deploying(rest, timeout=1).fails(make_bundle())


def test_all_nodes_of_a_cluster_have_to_run_it(rest: RestServer, make_bundle: MakeBundle) -> None:
    rest.starts = {"node-a": [(2, "")], "node-b": [(0, ""), (0, ""), (2, "")]}
    deploying = Deploying(rest)
    deploying.deploy(make_bundle())
    assert deploying.said[-1] == "Running com.example.hello 0.1.0 on 2 nodes"
    assert deploying.now == 2


def test_node_that_fails_is_named(rest: RestServer, make_bundle: MakeBundle) -> None:
    rest.starts = {"node-a": [(2, "")], "node-b": [(0, ""), (3, "no disk")]}
    text = Deploying(rest).fails(make_bundle())
    assert text.startswith("com.example.hello failed to start on node node-b: no disk\n")


def test_nodes_with_the_version_of_before_are_waited_for(rest: RestServer, make_bundle: MakeBundle) -> None:
    rest.starts = {"node-a": [(2, "")], "node-b": [(2, ""), (4, "the old one broke"), (2, "")]}
    rest.install(ID, "0.1.0", enabled=True)
    deploying = Deploying(rest)
    deploying.deploy(make_bundle("0.2.0"))
    assert deploying.said[-1] == "Running com.example.hello 0.2.0 on 2 nodes"
    assert deploying.now == 2


def test_states_of_all_nodes_are_told_when_time_is_up(rest: RestServer, make_bundle: MakeBundle) -> None:
    rest.starts = {"node-a": [(2, "")], "node-b": [(0, "")]}
    text = Deploying(rest, timeout=1).fails(make_bundle())
    assert "after 1 s: 0.1.0 is running on node node-a, 0.1.0 is not running on node node-b\n" in text


def test_server_that_goes_away_while_it_is_waited_for_may_come_back(rest: RestServer, make_bundle: MakeBundle) -> None:
    gone = [DROP, Answer(502, NGINX.format("502 Bad Gateway")), Answer(503), Answer(504)]
    usual = Answer(200, f'[{{"plugin_id": "{ID}", "state": 2, "version": "0.1.0"}}]', "application/json")
    rest.script("GET /plugins/statuses", *gone, usual)
    deploying = Deploying(rest)
    deploying.deploy(make_bundle())
    assert deploying.said[-1] == "Running com.example.hello 0.1.0"
    assert deploying.now == 4


def test_server_that_stays_away_is_told(rest: RestServer, make_bundle: MakeBundle) -> None:
    rest.script("GET /plugins/statuses", DROP)
    text = Deploying(rest, timeout=3).fails(make_bundle())
    assert text.startswith("com.example.hello does not run after 3 s: GET http://localhost:")
    assert "/api/v4/plugins/statuses: the connection dropped: " in text


def test_token_that_is_revoked_while_waiting_ends_the_wait(rest: RestServer, make_bundle: MakeBundle) -> None:
    rest.script("GET /plugins/statuses", Answer(401))
    deploying = Deploying(rest)
    assert "401 Unauthorized" in deploying.fails(make_bundle())
    assert deploying.now == 0


def test_plugin_that_is_gone_again_is_told(rest: RestServer, make_bundle: MakeBundle) -> None:
    rest.script("GET /plugins/statuses", Answer(200, "[]", "application/json"))
    assert "does not run after 1 s: not installed\n" in Deploying(rest, timeout=1).fails(make_bundle())


def test_enabling_that_is_never_answered_leaves_the_state_open(rest: RestServer, make_bundle: MakeBundle) -> None:
    rest.script(f"POST /plugins/{ID}/enable", SILENCE)
    lines = Deploying(rest, timeout=0.2).fails(make_bundle()).splitlines()
    assert lines[0].endswith(f"/api/v4/plugins/{ID}/enable: no answer within 0.2 s.")
    assert lines[1] == "Whether com.example.hello runs is not known; its OnActivate may take that long."
    assert "GET /plugins/statuses" not in rest.requests  # it would say "running", whatever OnActivate does


@pytest.mark.parametrize("refused", ["upload", "enable"])
def test_nothing_is_repeated_that_was_refused(refused: str, rest: RestServer, make_bundle: MakeBundle) -> None:
    request = "POST /plugins" if refused == "upload" else f"POST /plugins/{ID}/enable"
    rest.script(request, Answer(502, NGINX.format("502 Bad Gateway")))
    assert "502 Bad Gateway: 502 Bad Gateway\nA proxy in front of the server" in Deploying(rest).fails(make_bundle())
    assert rest.requests.count(request) == 1
