"""The handshake: the line by which go-plugin learns a plugin's address, and which host it is that asks.

Pure functions of the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

CORE_VERSION = 1
"""go-plugin's own protocol version; there has been no other."""

PROTOCOL_VERSION = 1
"""Mattermost's plugin protocol version."""

Host = Literal["grpc", "netrpc"]


def host_of(environ: Mapping[str, str]) -> str:
    """Which host started a process with this environment.

    `MMHOOKS_HOST` says so where it is set. Else the address of a plugin API means Mattermost's Python runtime, which
    speaks gRPC, and the cookie alone a released server, which speaks net/rpc.
    """
    return environ.get("MMHOOKS_HOST") or ("grpc" if environ.get("MATTERMOST_PLUGIN_API_TARGET") else "netrpc")


def refusal(environ: Mapping[str, str]) -> str | None:
    """Why a host with this environment cannot be served, or None."""
    host = host_of(environ)
    if host not in get_args(Host):
        return f"MMHOOKS_HOST: found {host!r}, expected {' or '.join(get_args(Host))}"
    if environ.get("PLUGIN_CLIENT_CERT"):
        # Their certificate is always on the curve P-521, which grpcio's TLS server does not accept.
        return (
            "this host asks for TLS with a certificate of its own (go-plugin's AutoMTLS), which mmhooks cannot serve: switch "
            "AutoMTLS off in the host (Mattermost never asks for it)"
        )
    versions = environ.get("PLUGIN_PROTOCOL_VERSIONS", "")
    if versions and str(PROTOCOL_VERSION) not in versions.split(","):
        return f"PLUGIN_PROTOCOL_VERSIONS: found {versions!r}, and this plugin speaks version {PROTOCOL_VERSION} only"
    return None


def line(environ: Mapping[str, str], network: Literal["tcp", "unix"], address: str) -> str:
    """The handshake line, without its line end."""
    host = host_of(environ)
    fields = [str(CORE_VERSION), str(PROTOCOL_VERSION), network, address, host]
    if host == "netrpc":
        # The empty place of a TLS certificate, as Go plugins write it.
        return "|".join([*fields, ""])
    if environ.get("PLUGIN_MULTIPLEX_GRPC"):
        # Only on request: hosts from before go-plugin 1.6 refuse a line with more fields than they know. The empty one
        # is the place of a TLS certificate; "false": there is one connection for each brokered stream.
        fields += ["", "false"]
    return "|".join(fields)
