"""Which methods of the plugin API the in-memory server has, and that each of them takes what Mattermost's does."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from mmhooks.hosts.netrpc.structs import API
from mmhooks.naming import snake
from mmhooks.testing.mattermost.methods import methods

MISSING = """
    ListCommands ListBuiltInCommands CreateChannelSidebarCategory GetChannelSidebarCategories
    UpdateChannelSidebarCategories GetLDAPUserAttributes EnablePlugin DisablePlugin RemovePlugin
    CreateOAuthApp GetOAuthApp UpdateOAuthApp DeleteOAuthApp RequestTrialLicense GetCloudLimits
    RegisterCollectionAndTopic CreateUploadSession GetUploadSession
    RegisterPluginForSharedChannels UnregisterPluginForSharedChannels ShareChannel UpdateSharedChannel UnshareChannel
    UpdateSharedChannelCursor SyncSharedChannel InviteRemoteToChannel UninviteRemoteFromChannel
    GetGroupSyncable GetGroupSyncables CreateDefaultSyncableMemberships DeleteGroupConstrainedMemberships
    CreatePropertyField GetPropertyField GetPropertyFields UpdatePropertyField DeletePropertyField SearchPropertyFields
    CountPropertyFields CountPropertyFieldsForTarget CreatePropertyValue GetPropertyValue GetPropertyValues
    UpdatePropertyValue UpsertPropertyValue DeletePropertyValue SearchPropertyValues RegisterPropertyGroup
    GetPropertyGroup GetPropertyFieldByName UpdatePropertyFields UpdatePropertyValues UpsertPropertyValues
    DeletePropertyValuesForTarget DeletePropertyValuesForField
"""


def test_what_is_missing_is_known() -> None:
    assert {*API} - {*methods()} == {*MISSING.split()}
    assert {*methods()} <= {*API}


@pytest.mark.parametrize("name", sorted(methods()))
def test_a_method_takes_what_mattermost_s_does(name: str) -> None:
    parameters = [*inspect.signature(methods()[name].function).parameters.values()]
    if any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters):
        return
    assert len(parameters) == 1 + len(API[name][0].split())


@pytest.mark.parametrize("name", sorted(methods()))
def test_every_method_is_called_by_a_test(name: str) -> None:
    tests = "".join(
        file.read_text() for file in Path(__file__).parent.glob("test_*.py") if file.name != Path(__file__).name
    )
    called = [f".{snake(name)}(", f".{snake(name)},", f".{snake(name)})", f'"{name}"']
    groups = name in _LIKE_EACH_OTHER
    assert groups or any(call in tests for call in called), f"no test calls {snake(name)}"


_LIKE_EACH_OTHER = {
    "UpdateGroup",
    "DeleteGroup",
    "RestoreGroup",
    "UpsertGroupMembers",
    "DeleteGroupMember",
    "UpsertGroupSyncable",
    "UpdateGroupSyncable",
    "DeleteGroupSyncable",
    "GetGroupByName",
    "GetGroupByRemoteID",
    "GetGroupsBySource",
    "GetGroupMemberUsers",
}
"""Those of groups, which are all answered alike."""
