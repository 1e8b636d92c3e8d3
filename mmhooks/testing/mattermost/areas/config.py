"""The server's configuration, and the plugin's settings in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mmhooks.errors import AppError, HandlerError, UnsupportedByHost
from mmhooks.models import Config, Model
from mmhooks.outcomes import Failed, Value
from mmhooks.testing.mattermost.copies import copied
from mmhooks.testing.mattermost.failures import bad_request
from mmhooks.testing.mattermost.methods import answers

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server

HIDDEN = "*" * 32

_SECRETS = {
    "SqlSettings": ("DataSource", "AtRestEncryptKey"),
    "FileSettings": ("PublicLinkSalt", "AmazonS3SecretAccessKey"),
    "EmailSettings": ("SMTPPassword",),
    "GitLabSettings": ("Secret",),
    "GoogleSettings": ("Secret",),
    "Office365Settings": ("Secret",),
    "OpenIdSettings": ("Secret",),
    "ElasticsearchSettings": ("Password",),
    "LdapSettings": ("BindPassword",),
    "ServiceSettings": ("GoogleDeveloperKey", "SplitKey", "GiphySdkKey"),
}
"""What GetConfig hides (Mattermost's `model/config.go`)."""


def _secrets(config: Config) -> Iterator[tuple[Model, str]]:
    """The places where something secret may stand."""
    for group, names in _SECRETS.items():
        part = getattr(config, group)
        yield from ((part, name) for name in names if hasattr(part, name))


def _secret_settings(server: Server) -> set[str]:
    """The plugin's settings that its manifest calls secret, in lower case."""
    schema = server.manifest.settings_schema
    if schema is None:
        return set()
    settings = [*schema.settings, *(setting for section in schema.sections for setting in section.settings)]
    return {setting.key.lower() for setting in settings if setting.secret}


def _sanitized(server: Server, config: Config) -> Config:
    config = copied(config)
    for part, name in _secrets(config):
        if getattr(part, name):
            setattr(part, name, HIDDEN)
    plugins = config.PluginSettings.Plugins
    config.PluginSettings.Plugins = {
        plugin_id: _sanitized_settings(server, settings)
        for plugin_id, settings in plugins.items()
        if plugin_id == server.plugin_id
    }
    return config


def _sanitized_settings(server: Server, settings: dict[str, Any]) -> dict[str, Any]:
    secret = _secret_settings(server)
    return {key: HIDDEN if key.lower() in secret and value else value for key, value in settings.items()}


def _with_old_secrets(server: Server, config: Config) -> Config:
    """A configuration in which what GetConfig has hidden is what it was."""
    config = copied(config)
    for (part, name), (old, _) in zip(_secrets(config), _secrets(server.config), strict=True):
        if getattr(part, name) == HIDDEN:
            setattr(part, name, getattr(old, name))
    for settings in (config.PluginSettings.Plugins.get(server.plugin_id, {}),):
        for key, value in settings.items():
            if value == HIDDEN and key.lower() in _secret_settings(server):
                settings[key] = server.settings.get(key)
    return config


def save_config(server: Server, config: Config) -> None:
    """Store a configuration, with the hook that may change or refuse it, and the one that tells of it."""
    if config.FeatureFlags is not None and config.FeatureFlags.ConsumePostHook:
        raise UnsupportedByHost(
            "the in-memory Mattermost never calls MessagesWillBeConsumed: leave ConsumePostHook off"
        )
    outcome = server.hooks.ask("ConfigurationWillBeSaved", config)
    if isinstance(outcome, Failed):
        cause = outcome.error.__cause__
        if isinstance(outcome.error, HandlerError) and isinstance(cause, AppError):
            raise cause
        raise bad_request(
            "app.save_config.plugin_hook_error", "A plugin refused the configuration.", str(outcome.error)
        )
    if isinstance(outcome, Value):
        config = outcome.value
    with server.lock:
        config = _with_old_secrets(server, config)
        changed = config != server.config
        server.config = config
    if changed:
        server.hooks.ask("OnConfigurationChange")


@answers("GetConfig")
def _get_config(server: Server) -> Config:
    return _sanitized(server, server.config)


@answers("GetUnsanitizedConfig")
def _get_unsanitized_config(server: Server) -> Config:
    return server.config


@answers("SaveConfig", fires=True)
def _save_config(server: Server, config: Config | None) -> None:
    save_config(server, config or Config())


@answers("GetPluginConfig")
def _get_plugin_config(server: Server) -> dict[str, Any]:
    return _sanitized_settings(server, server.settings)


def save_settings(server: Server, settings: dict[str, Any]) -> None:
    """Store the plugin's settings in the place of all old ones, with the hooks."""
    with server.lock:
        config = copied(server.config)
        config.PluginSettings.Plugins[server.plugin_id] = copied(settings)
    save_config(server, config)


@answers("SavePluginConfig", fires=True)
def _save_plugin_config(server: Server, settings: dict[str, Any]) -> None:
    save_settings(server, settings)


@answers("LoadPluginConfiguration")
def _load_plugin_configuration(server: Server) -> bytes:
    schema = server.manifest.settings_schema
    # Defaults of settings in sections are not filled in: Mattermost looks at the others only.
    found = {setting.key.lower(): setting.default for setting in schema.settings} if schema else {}
    found |= {key.lower(): value for key, value in server.settings.items()}
    return json.dumps(found).encode()
