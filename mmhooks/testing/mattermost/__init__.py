"""An in-memory Mattermost: `mmhooks.testing.Mattermost`."""
