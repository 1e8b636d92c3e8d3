"""mmhooks: write Mattermost server plugins in Python.

The public names, and nothing else; each is loaded when it is first used.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if os.environ.get("MATTERMOST_PLUGIN"):
    # A host started this process and reads its standard output: from here on nothing else may be written there.
    from mmhooks import launch

    launch.take_over()

if TYPE_CHECKING:
    from mmhooks.app import App as App
    from mmhooks.blueprint import Blueprint as Blueprint
    from mmhooks.config import RuntimeConfig as RuntimeConfig
    from mmhooks.errors import APIError as APIError
    from mmhooks.errors import AppError as AppError
    from mmhooks.errors import BadRequest as BadRequest
    from mmhooks.errors import BundleError as BundleError
    from mmhooks.errors import CallError as CallError
    from mmhooks.errors import ConfigurationError as ConfigurationError
    from mmhooks.errors import Conflict as Conflict
    from mmhooks.errors import DeadlineExceeded as DeadlineExceeded
    from mmhooks.errors import DeployError as DeployError
    from mmhooks.errors import DuplicateHandler as DuplicateHandler
    from mmhooks.errors import Forbidden as Forbidden
    from mmhooks.errors import GoError as GoError
    from mmhooks.errors import HandlerError as HandlerError
    from mmhooks.errors import HandlerMismatch as HandlerMismatch
    from mmhooks.errors import HandlerTimeout as HandlerTimeout
    from mmhooks.errors import HostUnavailable as HostUnavailable
    from mmhooks.errors import MmhooksError as MmhooksError
    from mmhooks.errors import ModelError as ModelError
    from mmhooks.errors import NoPluginAPI as NoPluginAPI
    from mmhooks.errors import NotFound as NotFound
    from mmhooks.errors import NotImplementedByPlugin as NotImplementedByPlugin
    from mmhooks.errors import RegistrationClosed as RegistrationClosed
    from mmhooks.errors import RegistrationError as RegistrationError
    from mmhooks.errors import SecondCopy as SecondCopy
    from mmhooks.errors import ThreadsExhausted as ThreadsExhausted
    from mmhooks.errors import UnknownHook as UnknownHook
    from mmhooks.errors import UnsupportedByHost as UnsupportedByHost
    from mmhooks.errors import UpdateConflict as UpdateConflict
    from mmhooks.hooks import HookName as HookName
    from mmhooks.models import AssertionInfo as AssertionInfo
    from mmhooks.models import Bot as Bot
    from mmhooks.models import Channel as Channel
    from mmhooks.models import ChannelMember as ChannelMember
    from mmhooks.models import CommandArgs as CommandArgs
    from mmhooks.models import CommandResponse as CommandResponse
    from mmhooks.models import Config as Config
    from mmhooks.models import Context as Context
    from mmhooks.models import EmailNotification as EmailNotification
    from mmhooks.models import EmailNotificationContent as EmailNotificationContent
    from mmhooks.models import FileData as FileData
    from mmhooks.models import FileInfo as FileInfo
    from mmhooks.models import OnInstallEvent as OnInstallEvent
    from mmhooks.models import PluginClusterEvent as PluginClusterEvent
    from mmhooks.models import Post as Post
    from mmhooks.models import Preference as Preference
    from mmhooks.models import ProductLimits as ProductLimits
    from mmhooks.models import PushNotification as PushNotification
    from mmhooks.models import Reaction as Reaction
    from mmhooks.models import RemoteCluster as RemoteCluster
    from mmhooks.models import SyncMsg as SyncMsg
    from mmhooks.models import SyncResponse as SyncResponse
    from mmhooks.models import TeamMember as TeamMember
    from mmhooks.models import User as User
    from mmhooks.models import WebSocketRequest as WebSocketRequest
    from mmhooks.outcomes import Dismiss as Dismiss
    from mmhooks.outcomes import Reject as Reject
    from mmhooks.outcomes import Stop as Stop

__version__ = "0.1.0"

_HOMES = {
    "app": "App",
    "blueprint": "Blueprint",
    "config": "RuntimeConfig",
    "errors": "APIError AppError BadRequest BundleError CallError ConfigurationError Conflict DeadlineExceeded "
    "DeployError DuplicateHandler Forbidden GoError HandlerError HandlerMismatch HandlerTimeout HostUnavailable "
    "MmhooksError ModelError NoPluginAPI NotFound NotImplementedByPlugin RegistrationClosed RegistrationError SecondCopy "
    "ThreadsExhausted UnknownHook UnsupportedByHost UpdateConflict",
    "hooks": "HookName",
    "models": "AssertionInfo Bot Channel ChannelMember CommandArgs CommandResponse Config Context EmailNotification "
    "EmailNotificationContent FileData FileInfo OnInstallEvent PluginClusterEvent Post Preference ProductLimits "
    "PushNotification Reaction RemoteCluster SyncMsg SyncResponse TeamMember User WebSocketRequest",
    "outcomes": "Dismiss Reject Stop",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    try:
        module = importlib.import_module(f"mmhooks.{_HOME[name]}")
    except KeyError:
        raise AttributeError(f"module 'mmhooks' has no attribute {name!r}") from None
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
