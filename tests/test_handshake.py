"""The handshake line and which host asked for it, as pure functions of the environment."""

from __future__ import annotations

import pytest

from mmhooks.hosts.handshake import host_of, line, refusal

MATTERMOST = {
    "MATTERMOST_PLUGIN": "Securely message teams, anywhere.",
    "MATTERMOST_PLUGIN_API_TARGET": "127.0.0.1:40000",
    "PLUGIN_MIN_PORT": "10000",
    "PLUGIN_MAX_PORT": "25000",
    "PLUGIN_PROTOCOL_VERSIONS": "1",
}
"""What Mattermost's Python runtime sets."""

RELEASED = {name: value for name, value in MATTERMOST.items() if name != "MATTERMOST_PLUGIN_API_TARGET"}
"""What every released server sets."""


# the line


def test_the_line_has_exactly_five_fields() -> None:
    assert line(MATTERMOST, "tcp", "127.0.0.1:41234") == "1|1|tcp|127.0.0.1:41234|grpc"


def test_the_line_tells_of_a_unix_socket() -> None:
    assert line(MATTERMOST, "unix", "/run/plugin/s") == "1|1|unix|/run/plugin/s|grpc"


def test_the_line_names_the_protocol_that_the_host_asked_for() -> None:
    assert line({"MMHOOKS_HOST": "grpc"}, "tcp", "a:1").split("|")[4] == "grpc"
    assert line({"MMHOOKS_HOST": "netrpc"}, "tcp", "a:1").split("|")[4] == "netrpc"


@pytest.mark.parametrize("more", [{}, {"PLUGIN_MULTIPLEX_GRPC": "true"}])
def test_the_line_for_a_released_server_ends_with_the_empty_place_of_a_certificate(more: dict[str, str]) -> None:
    assert line({**RELEASED, **more}, "unix", "/tmp/plugin-1") == "1|1|unix|/tmp/plugin-1|netrpc|"
    assert line({**RELEASED, **more}, "tcp", "127.0.0.1:41234") == "1|1|tcp|127.0.0.1:41234|netrpc|"


@pytest.mark.parametrize("asked", ["true", "1", "false", "anything"])
def test_a_host_that_asks_about_multiplexing_gets_an_empty_certificate_and_a_no(asked: str) -> None:
    environ = {**MATTERMOST, "PLUGIN_MULTIPLEX_GRPC": asked}
    assert line(environ, "tcp", "127.0.0.1:41234") == "1|1|tcp|127.0.0.1:41234|grpc||false"


def test_an_empty_question_about_multiplexing_is_none() -> None:
    assert line({**MATTERMOST, "PLUGIN_MULTIPLEX_GRPC": ""}, "tcp", "a:1").count("|") == 4


# the host


@pytest.mark.parametrize(
    ("environ", "host"),
    [
        ({"MATTERMOST_PLUGIN_API_TARGET": "127.0.0.1:1"}, "grpc"),
        ({}, "netrpc"),
        (RELEASED, "netrpc"),
        (MATTERMOST, "grpc"),
        ({"MATTERMOST_PLUGIN_API_TARGET": ""}, "netrpc"),
        ({"MMHOOKS_HOST": "grpc"}, "grpc"),
        ({"MMHOOKS_HOST": "netrpc", "MATTERMOST_PLUGIN_API_TARGET": "127.0.0.1:1"}, "netrpc"),
        ({"MMHOOKS_HOST": "", "MATTERMOST_PLUGIN_API_TARGET": "127.0.0.1:1"}, "grpc"),
    ],
)
def test_the_host_is_read_from_the_environment(environ: dict[str, str], host: str) -> None:
    assert host_of(environ) == host


# what cannot be served


def test_mattermosts_python_runtime_is_served() -> None:
    assert refusal(MATTERMOST) is None


def test_a_host_of_ones_own_is_served_when_it_says_grpc() -> None:
    assert refusal({"MMHOOKS_HOST": "grpc"}) is None


@pytest.mark.parametrize("environ", [{}, {"MMHOOKS_HOST": "netrpc"}, RELEASED])
def test_a_host_that_speaks_net_rpc_is_served(environ: dict[str, str]) -> None:
    assert refusal(environ) is None


def test_a_host_that_nobody_knows_is_refused_by_its_name_with_those_that_are_served() -> None:
    environ = {"MMHOOKS_HOST": "carrier-pigeon"}
    assert refusal(environ) == "MMHOOKS_HOST: found 'carrier-pigeon', expected grpc or netrpc"


def test_tls_with_the_hosts_certificate_is_refused_with_the_reason() -> None:
    text = str(refusal({**MATTERMOST, "PLUGIN_CLIENT_CERT": "-----BEGIN CERTIFICATE-----"}))
    assert "AutoMTLS" in text
    assert "BEGIN CERTIFICATE" not in text
    assert refusal({**MATTERMOST, "PLUGIN_CLIENT_CERT": ""}) is None
    assert refusal({**RELEASED, "PLUGIN_CLIENT_CERT": "x"}) == text


@pytest.mark.parametrize("versions", ["1", "1,2", "2,1", "3,1,2", ""])
def test_a_host_that_knows_version_1_is_served(versions: str) -> None:
    assert refusal({**MATTERMOST, "PLUGIN_PROTOCOL_VERSIONS": versions}) is None


@pytest.mark.parametrize("versions", ["2", "2,3", "11", "0"])
def test_a_host_that_knows_other_versions_only_is_refused_with_both(versions: str) -> None:
    assert refusal({**MATTERMOST, "PLUGIN_PROTOCOL_VERSIONS": versions}) == (
        f"PLUGIN_PROTOCOL_VERSIONS: found {versions!r}, and this plugin speaks version 1 only"
    )
