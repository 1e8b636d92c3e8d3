"""Words and numbers that Mattermost gives a meaning, under the names that they have in its Go package `model`.

They are plain text and numbers: a server of another version may have more of them, and takes any.
"""

from __future__ import annotations

from typing import Final

# permissions
PermissionCreatePost: Final = "create_post"
PermissionEditPost: Final = "edit_post"
PermissionEditOthersPosts: Final = "edit_others_posts"
PermissionDeletePost: Final = "delete_post"
PermissionDeleteOthersPosts: Final = "delete_others_posts"
PermissionReadDeletedPosts: Final = "read_deleted_posts"
PermissionCreatePostPublic: Final = "create_post_public"
PermissionCreatePostEphemeral: Final = "create_post_ephemeral"
PermissionAddReaction: Final = "add_reaction"
PermissionRemoveReaction: Final = "remove_reaction"
PermissionRemoveOthersReactions: Final = "remove_others_reactions"
PermissionUploadFile: Final = "upload_file"
PermissionGetPublicLink: Final = "get_public_link"
PermissionUseChannelMentions: Final = "use_channel_mentions"
PermissionUseGroupMentions: Final = "use_group_mentions"
PermissionReadChannel: Final = "read_channel"
PermissionReadChannelContent: Final = "read_channel_content"
PermissionReadPublicChannel: Final = "read_public_channel"
PermissionJoinPublicChannels: Final = "join_public_channels"
PermissionListTeamChannels: Final = "list_team_channels"
PermissionCreatePublicChannel: Final = "create_public_channel"
PermissionCreatePrivateChannel: Final = "create_private_channel"
PermissionCreateDirectChannel: Final = "create_direct_channel"
PermissionCreateGroupChannel: Final = "create_group_channel"
PermissionManagePublicChannelProperties: Final = "manage_public_channel_properties"
PermissionManagePrivateChannelProperties: Final = "manage_private_channel_properties"
PermissionManagePublicChannelMembers: Final = "manage_public_channel_members"
PermissionManagePrivateChannelMembers: Final = "manage_private_channel_members"
PermissionManageChannelRoles: Final = "manage_channel_roles"
PermissionDeletePublicChannel: Final = "delete_public_channel"
PermissionDeletePrivateChannel: Final = "delete_private_channel"
PermissionConvertPublicChannelToPrivate: Final = "convert_public_channel_to_private"
PermissionConvertPrivateChannelToPublic: Final = "convert_private_channel_to_public"
PermissionReadPublicChannelGroups: Final = "read_public_channel_groups"
PermissionReadPrivateChannelGroups: Final = "read_private_channel_groups"
PermissionViewTeam: Final = "view_team"
PermissionCreateTeam: Final = "create_team"
PermissionManageTeam: Final = "manage_team"
PermissionManageTeamRoles: Final = "manage_team_roles"
PermissionImportTeam: Final = "import_team"
PermissionInviteUser: Final = "invite_user"
PermissionInviteGuest: Final = "invite_guest"
PermissionAddUserToTeam: Final = "add_user_to_team"
PermissionRemoveUserFromTeam: Final = "remove_user_from_team"
PermissionListPublicTeams: Final = "list_public_teams"
PermissionJoinPublicTeams: Final = "join_public_teams"
PermissionListPrivateTeams: Final = "list_private_teams"
PermissionJoinPrivateTeams: Final = "join_private_teams"
PermissionListUsersWithoutTeam: Final = "list_users_without_team"
PermissionReadOtherUsersTeams: Final = "read_other_users_teams"
PermissionViewMembers: Final = "view_members"
PermissionEditOtherUsers: Final = "edit_other_users"
PermissionPromoteGuest: Final = "promote_guest"
PermissionDemoteToGuest: Final = "demote_to_guest"
PermissionCreateUserAccessToken: Final = "create_user_access_token"
PermissionReadUserAccessToken: Final = "read_user_access_token"
PermissionRevokeUserAccessToken: Final = "revoke_user_access_token"
PermissionCreateBot: Final = "create_bot"
PermissionAssignBot: Final = "assign_bot"
PermissionReadBots: Final = "read_bots"
PermissionReadOthersBots: Final = "read_others_bots"
PermissionManageBots: Final = "manage_bots"
PermissionManageOthersBots: Final = "manage_others_bots"
PermissionManageOwnSlashCommands: Final = "manage_own_slash_commands"
PermissionManageOthersSlashCommands: Final = "manage_others_slash_commands"
PermissionManageOwnIncomingWebhooks: Final = "manage_own_incoming_webhooks"
PermissionManageOthersIncomingWebhooks: Final = "manage_others_incoming_webhooks"
PermissionManageOwnOutgoingWebhooks: Final = "manage_own_outgoing_webhooks"
PermissionManageOthersOutgoingWebhooks: Final = "manage_others_outgoing_webhooks"
PermissionManageOAuth: Final = "manage_oauth"
PermissionManageSystemWideOAuth: Final = "manage_system_wide_oauth"
PermissionCreateEmojis: Final = "create_emojis"
PermissionDeleteEmojis: Final = "delete_emojis"
PermissionDeleteOthersEmojis: Final = "delete_others_emojis"
PermissionCreateCustomGroup: Final = "create_custom_group"
PermissionEditCustomGroup: Final = "edit_custom_group"
PermissionDeleteCustomGroup: Final = "delete_custom_group"
PermissionRestoreCustomGroup: Final = "restore_custom_group"
PermissionManageCustomGroupMembers: Final = "manage_custom_group_members"
PermissionManageSharedChannels: Final = "manage_shared_channels"
PermissionManageSecureConnections: Final = "manage_secure_connections"
PermissionManageRoles: Final = "manage_roles"
PermissionAssignSystemAdminRole: Final = "assign_system_admin_role"
PermissionReadJobs: Final = "read_jobs"
PermissionManageJobs: Final = "manage_jobs"
PermissionReadAudits: Final = "read_audits"
PermissionGetLogs: Final = "get_logs"
PermissionGetAnalytics: Final = "get_analytics"
PermissionReadLicenseInformation: Final = "read_license_information"
PermissionManageLicenseInformation: Final = "manage_license_information"
PermissionEditBrand: Final = "edit_brand"
PermissionSysconsoleReadPlugins: Final = "sysconsole_read_plugins"
PermissionSysconsoleWritePlugins: Final = "sysconsole_write_plugins"
PermissionManageSystem: Final = "manage_system"

# roles
SystemGuestRoleId: Final = "system_guest"
SystemUserRoleId: Final = "system_user"
SystemAdminRoleId: Final = "system_admin"
TeamGuestRoleId: Final = "team_guest"
TeamUserRoleId: Final = "team_user"
TeamAdminRoleId: Final = "team_admin"
ChannelGuestRoleId: Final = "channel_guest"
ChannelUserRoleId: Final = "channel_user"
ChannelAdminRoleId: Final = "channel_admin"

# Post.type
PostTypeDefault: Final = ""
PostTypeMessageAttachment: Final = "slack_attachment"
PostTypeSystemGeneric: Final = "system_generic"
PostTypeJoinChannel: Final = "system_join_channel"
PostTypeGuestJoinChannel: Final = "system_guest_join_channel"
PostTypeLeaveChannel: Final = "system_leave_channel"
PostTypeAddToChannel: Final = "system_add_to_channel"
PostTypeAddGuestToChannel: Final = "system_add_guest_to_chan"
PostTypeRemoveFromChannel: Final = "system_remove_from_channel"
PostTypeMoveChannel: Final = "system_move_channel"
PostTypeJoinTeam: Final = "system_join_team"
PostTypeLeaveTeam: Final = "system_leave_team"
PostTypeAddToTeam: Final = "system_add_to_team"
PostTypeRemoveFromTeam: Final = "system_remove_from_team"
PostTypeHeaderChange: Final = "system_header_change"
PostTypePurposeChange: Final = "system_purpose_change"
PostTypeDisplaynameChange: Final = "system_displayname_change"
PostTypeConvertChannel: Final = "system_convert_channel"
PostTypeChangeChannelPrivacy: Final = "system_change_chan_privacy"
PostTypeChannelDeleted: Final = "system_channel_deleted"
PostTypeChannelRestored: Final = "system_channel_restored"
PostTypeEphemeral: Final = "system_ephemeral"
PostTypeAutoResponder: Final = "system_auto_responder"
PostTypeAddBotTeamsChannels: Final = "add_bot_teams_channels"
PostTypeMe: Final = "me"
PostTypeReminder: Final = "reminder"

# beginnings of Post.type: of the server's own posts, and of those that plugins invent
PostSystemMessagePrefix: Final = "system_"
PostCustomTypePrefix: Final = "custom_"

# keys of Post.props
PostPropsAttachments: Final = "attachments"
PostPropsFromBot: Final = "from_bot"
PostPropsFromPlugin: Final = "from_plugin"
PostPropsFromWebhook: Final = "from_webhook"
PostPropsFromOAuthApp: Final = "from_oauth_app"
PostPropsOverrideUsername: Final = "override_username"
PostPropsOverrideIconURL: Final = "override_icon_url"
PostPropsOverrideIconEmoji: Final = "override_icon_emoji"
PostPropsWebhookDisplayName: Final = "webhook_display_name"
PostPropsMentionHighlightDisabled: Final = "mentionHighlightDisabled"
PostPropsGroupHighlightDisabled: Final = "disable_group_highlight"
PostPropsChannelMentions: Final = "channel_mentions"
PostPropsAddedUserId: Final = "addedUserId"
PostPropsDeleteBy: Final = "deleteBy"

# PostPriority.priority
PostPriorityUrgent: Final = "urgent"

# Channel.type
ChannelTypeOpen: Final = "O"
ChannelTypePrivate: Final = "P"
ChannelTypeDirect: Final = "D"
ChannelTypeGroup: Final = "G"

# the channel that every team has, by its name
DefaultChannelName: Final = "town-square"

# sort_by of GetUsersInChannel
ChannelSortByUsername: Final = "username"
ChannelSortByStatus: Final = "status"

# keys of notify_props, of users and of channel members
DesktopNotifyProp: Final = "desktop"
DesktopSoundNotifyProp: Final = "desktop_sound"
EmailNotifyProp: Final = "email"
PushNotifyProp: Final = "push"
PushStatusNotifyProp: Final = "push_status"
MarkUnreadNotifyProp: Final = "mark_unread"
CommentsNotifyProp: Final = "comments"
ChannelMentionsNotifyProp: Final = "channel"
MentionKeysNotifyProp: Final = "mention_keys"
HighlightsNotifyProp: Final = "highlight_keys"
FirstNameNotifyProp: Final = "first_name"
DesktopThreadsNotifyProp: Final = "desktop_threads"
EmailThreadsNotifyProp: Final = "email_threads"
PushThreadsNotifyProp: Final = "push_threads"
AutoResponderActiveNotifyProp: Final = "auto_responder_active"
AutoResponderMessageNotifyProp: Final = "auto_responder_message"
IgnoreChannelMentionsNotifyProp: Final = "ignore_channel_mentions"
ChannelAutoFollowThreads: Final = "channel_auto_follow_threads"

# values of User.notify_props
UserNotifyAll: Final = "all"
UserNotifyHere: Final = "here"
UserNotifyMention: Final = "mention"
UserNotifyNone: Final = "none"
CommentsNotifyNever: Final = "never"
CommentsNotifyRoot: Final = "root"
CommentsNotifyAny: Final = "any"
CommentsNotifyCRT: Final = "crt"

# values of ChannelMember.notify_props
ChannelNotifyDefault: Final = "default"
ChannelNotifyAll: Final = "all"
ChannelNotifyMention: Final = "mention"
ChannelNotifyNone: Final = "none"
ChannelMarkUnreadAll: Final = "all"
ChannelMarkUnreadMention: Final = "mention"
IgnoreChannelMentionsDefault: Final = "default"
IgnoreChannelMentionsOff: Final = "off"
IgnoreChannelMentionsOn: Final = "on"
ChannelAutoFollowThreadsOff: Final = "off"
ChannelAutoFollowThreadsOn: Final = "on"

# Status.status
StatusOnline: Final = "online"
StatusAway: Final = "away"
StatusDnd: Final = "dnd"
StatusOffline: Final = "offline"
StatusOutOfOffice: Final = "ooo"

# Team.type
TeamOpen: Final = "O"
TeamInvite: Final = "I"

# Group.source, and the beginning of those that plugins invent
GroupSourceLdap: Final = "ldap"
GroupSourceCustom: Final = "custom"
GroupSourcePluginPrefix: Final = "plugin_"

# GroupSyncable.type
GroupSyncableTypeTeam: Final = "Team"
GroupSyncableTypeChannel: Final = "Channel"

# CommandResponse.response_type
CommandResponseTypeInChannel: Final = "in_channel"
CommandResponseTypeEphemeral: Final = "ephemeral"

# AutocompleteArg.type
AutocompleteArgTypeText: Final = "TextInput"
AutocompleteArgTypeStaticList: Final = "StaticList"
AutocompleteArgTypeDynamicList: Final = "DynamicList"

# PropertyField.type
PropertyFieldTypeText: Final = "text"
PropertyFieldTypeSelect: Final = "select"
PropertyFieldTypeMultiselect: Final = "multiselect"
PropertyFieldTypeDate: Final = "date"
PropertyFieldTypeUser: Final = "user"
PropertyFieldTypeMultiuser: Final = "multiuser"

# SidebarCategory.type
SidebarCategoryChannels: Final = "channels"
SidebarCategoryDirectMessages: Final = "direct_messages"
SidebarCategoryFavorites: Final = "favorites"
SidebarCategoryCustom: Final = "custom"

# UploadSession.type
UploadTypeAttachment: Final = "attachment"
UploadTypeImport: Final = "import"

# PluginStatus.state
PluginStateNotRunning: Final = 0
PluginStateStarting: Final = 1
PluginStateRunning: Final = 2
PluginStateFailedToStart: Final = 3
PluginStateFailedToStayRunning: Final = 4
PluginStateStopping: Final = 5

# PluginClusterEventSendOptions.send_type
PluginClusterEventSendTypeReliable: Final = "reliable"
PluginClusterEventSendTypeBestEffort: Final = "best_effort"

# AuditRecord.status
AuditStatusAttempt: Final = "attempt"
AuditStatusSuccess: Final = "success"
AuditStatusFail: Final = "fail"
