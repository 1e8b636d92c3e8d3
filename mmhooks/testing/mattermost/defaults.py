"""What a fresh server is set to: Mattermost's defaults (its `model/config.go`), as far as plugins and this server look at
them. Everything else in the configuration is None."""

from __future__ import annotations

from typing import Any

from mmhooks.models import Config

_DEFAULTS: dict[str, dict[str, Any]] = {
    "ServiceSettings": {
        "SiteURL": "http://localhost:8065",
        "ListenAddress": ":8065",
        "EnableCommands": True,
        "EnableIncomingWebhooks": True,
        "EnableOutgoingWebhooks": True,
        "EnableBotAccountCreation": False,
        "EnableUserAccessTokens": False,
        "EnableCustomEmoji": True,
        "EnableLinkPreviews": True,
        "EnablePostSearch": True,
        "EnablePostUsernameOverride": False,
        "EnablePostIconOverride": False,
        "EnableDeveloper": False,
        "EnableTesting": False,
        "OutgoingIntegrationRequestsTimeout": 30,
        "ExperimentalStrictCSRFEnforcement": False,
        "ExperimentalEnableDefaultChannelLeaveJoinMessages": True,
    },
    "TeamSettings": {
        "SiteName": "Mattermost",
        "MaxUsersPerTeam": 50,
        "MaxChannelsPerTeam": 2000,
        "EnableUserCreation": True,
        "EnableCustomUserStatuses": True,
        "RestrictCreationToDomains": "",
        "ExperimentalDefaultChannels": [],
        "TeammateNameDisplay": "username",
    },
    "PasswordSettings": {
        "MinimumLength": 8,
        "Lowercase": False,
        "Number": False,
        "Uppercase": False,
        "Symbol": False,
    },
    "FileSettings": {
        "EnableFileAttachments": True,
        "EnablePublicLink": False,
        "PublicLinkSalt": "saltsaltsaltsaltsaltsaltsaltsalt",
        "MaxFileSize": 104857600,
        "MaxImageResolution": 33177600,
        "DriverName": "local",
    },
    "SqlSettings": {"DriverName": "postgres", "DataSource": "postgres://mattermost:secret@localhost/mattermost"},
    "EmailSettings": {
        "EnableSignUpWithEmail": True,
        "EnableSignInWithEmail": True,
        "EnableSignInWithUsername": True,
        "SendEmailNotifications": True,
        "SendPushNotifications": True,
        "RequireEmailVerification": False,
    },
    "PrivacySettings": {"ShowEmailAddress": True, "ShowFullName": True},
    "LocalizationSettings": {"DefaultServerLocale": "en", "DefaultClientLocale": "en", "AvailableLocales": ""},
    "PluginSettings": {"Enable": True, "EnableUploads": False, "Plugins": {}, "PluginStates": {}},
    "ExperimentalSettings": {},
    "FeatureFlags": {},
}


def default_config() -> Config:
    """A new configuration."""
    return Config.from_dict(_DEFAULTS)
