"""The plugin API: what Mattermost offers to plugins. So far by one generic call."""

from mmhooks.api.calls import AsyncPluginAPI, Caller, Link, PluginAPI

__all__ = ["AsyncPluginAPI", "Caller", "Link", "PluginAPI"]
