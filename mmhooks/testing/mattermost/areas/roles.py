"""The roles that every server has, and the permissions that they grant (Mattermost's `model/role.go`)."""

from __future__ import annotations

from mmhooks.models import constants

_BOOKMARKS = " ".join(
    f"{verb}_bookmark_{kind}_channel" for kind in ("public", "private") for verb in ("add", "edit", "delete", "order")
)
_POST_ALL = "create_post use_channel_mentions"

ROLES: dict[str, frozenset[str]] = {
    name: frozenset(permissions.split())
    for name, permissions in {
        "system_user": "list_public_teams join_public_teams create_direct_channel create_group_channel view_members "
        "create_team create_custom_group edit_custom_group delete_custom_group restore_custom_group "
        "manage_custom_group_members",
        "system_guest": "create_direct_channel create_group_channel",
        "system_post_all": _POST_ALL,
        "system_post_all_public": "create_post_public use_channel_mentions",
        "system_user_access_token": "create_user_access_token read_user_access_token revoke_user_access_token",
        "team_user": "list_team_channels join_public_channels read_public_channel view_team create_public_channel "
        "create_private_channel invite_user add_user_to_team",
        "team_guest": "view_team",
        "team_admin": "remove_user_from_team manage_team import_team manage_team_roles manage_channel_roles "
        "manage_own_incoming_webhooks manage_others_incoming_webhooks manage_own_outgoing_webhooks "
        "manage_others_outgoing_webhooks manage_own_slash_commands manage_others_slash_commands "
        "bypass_incoming_webhook_channel_lock convert_public_channel_to_private convert_private_channel_to_public "
        f"delete_post delete_others_posts manage_public_channel_banner manage_private_channel_banner {_BOOKMARKS}",
        "team_post_all": _POST_ALL,
        "team_post_all_public": "create_post_public use_channel_mentions",
        "channel_user": "read_channel read_channel_content add_reaction remove_reaction manage_public_channel_members "
        "upload_file get_public_link create_post use_channel_mentions manage_public_channel_properties "
        "delete_public_channel manage_private_channel_properties delete_private_channel manage_private_channel_members "
        f"delete_post edit_post {_BOOKMARKS}",
        "channel_guest": "read_channel read_channel_content add_reaction remove_reaction upload_file edit_post create_post "
        "use_channel_mentions",
        "channel_admin": "manage_channel_roles use_group_mentions manage_public_channel_banner "
        f"manage_private_channel_banner {_BOOKMARKS}",
        "custom_group_user": "",
    }.items()
}
"""Permissions by role. That of administrators is not among them: see `grants`."""

ROLES[constants.SystemAdminRoleId] = frozenset()


def grants(roles: str, permission: str) -> bool:
    """Whether one of some roles, separated by spaces, grants a permission. Administrators have every one of them."""
    names = roles.split()
    if constants.SystemAdminRoleId in names:
        return bool(permission)
    return any(permission in ROLES.get(name, ()) for name in names)
