"""Groups of users, on a server whose licence has none: nothing is to be found, and nothing can be stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmhooks.errors import AppError
from mmhooks.testing.mattermost.failures import forbidden, not_found
from mmhooks.testing.mattermost.methods import answers

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server

_WRITING = (
    "CreateGroup",
    "UpdateGroup",
    "DeleteGroup",
    "RestoreGroup",
    "UpsertGroupMember",
    "UpsertGroupMembers",
    "DeleteGroupMember",
    "UpsertGroupSyncable",
    "UpdateGroupSyncable",
    "DeleteGroupSyncable",
)

_ONE = ("GetGroup", "GetGroupByName", "GetGroupByRemoteID")
_MANY = ("GetGroups", "GetGroupsBySource", "GetGroupsForUser", "GetGroupMemberUsers")


def _refuse(server: Server, *arguments: Any) -> None:
    raise forbidden("app.group.license_error", "Your license does not support groups.")


def _find_none(server: Server, *arguments: Any) -> None:
    raise _missing()


def _missing() -> AppError:
    return not_found("app.group.no_rows", "No matching group found.")


def _list_none(server: Server, *arguments: Any) -> list[Any]:
    return []


for _names, _function in ((_WRITING, _refuse), (_ONE, _find_none), (_MANY, _list_none)):
    for _name in _names:
        answers(_name)(_function)
