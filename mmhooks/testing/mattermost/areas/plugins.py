"""The plugin itself, and the server it runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmhooks.errors import UnsupportedByHost
from mmhooks.models import License, Manifest, PluginClusterEvent, PluginClusterEventSendOptions, PluginStatus
from mmhooks.models.constants import PluginStateFailedToStart, PluginStateNotRunning, PluginStateRunning
from mmhooks.testing.mattermost.failures import failure, not_found
from mmhooks.testing.mattermost.methods import answers

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server

SERVER_VERSION = "11.6.0"


@answers("GetServerVersion")
def _get_server_version(server: Server) -> str:
    return SERVER_VERSION


@answers("GetSystemInstallDate")
def _get_system_install_date(server: Server) -> int:
    return server.installed_at


@answers("GetDiagnosticId")
def _get_diagnostic_id(server: Server) -> str:
    return server.telemetry_id


@answers("GetTelemetryId")
def _get_telemetry_id(server: Server) -> str:
    return server.telemetry_id


@answers("GetLicense")
def _get_license(server: Server) -> License | None:
    return None


@answers("IsEnterpriseReady")
def _is_enterprise_ready(server: Server) -> bool:
    return True


@answers("GetPluginID")
def _get_plugin_id(server: Server) -> str:
    return server.plugin_id


@answers("GetBundlePath")
def _get_bundle_path(server: Server) -> str:
    if not server.bundle_path:
        raise UnsupportedByHost(
            "GetBundlePath: the in-memory Mattermost does not know where the plugin's files lie: Mattermost(app, bundle_path=…)"
        )
    return server.bundle_path


@answers("GetPlugins")
def _get_plugins(server: Server) -> list[Manifest]:
    return [server.manifest]


@answers("GetPluginStatus")
def _get_plugin_status(server: Server, plugin_id: str) -> PluginStatus:
    if not server.config.PluginSettings.Enable:
        raise failure("app.plugin.disabled.app_error", 501, "Plugins have been disabled.")
    if plugin_id != server.plugin_id:
        raise not_found("app.plugin.not_installed.app_error", "Plugin is not installed.", plugin_id)
    state = PluginStateRunning if server.hooks.active else PluginStateNotRunning
    if server.plugin_error:
        state = PluginStateFailedToStart
    manifest = server.manifest
    return PluginStatus(
        plugin_id=plugin_id,
        plugin_path=server.bundle_path,
        state=state,
        error=server.plugin_error,
        name=manifest.name,
        description=manifest.description,
        version=manifest.version,
    )


@answers("PublishPluginClusterEvent")
def _publish_plugin_cluster_event(
    server: Server, event: PluginClusterEvent, options: PluginClusterEventSendOptions
) -> None:
    """Other servers of a cluster would get it, and there are none."""
