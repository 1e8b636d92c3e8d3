"""The plugin API: what Mattermost offers to plugins. So far by one generic call."""

from mmhooks.api.calls import AsyncCalls as AsyncPluginAPI
from mmhooks.api.calls import Caller, Link
from mmhooks.api.calls import Calls as PluginAPI

__all__ = ["AsyncPluginAPI", "Caller", "Link", "PluginAPI"]
