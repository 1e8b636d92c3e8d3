"""The net/rpc host: released Mattermost servers."""
