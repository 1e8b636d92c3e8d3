"""Brings bundles to Mattermost servers: the REST API, the way to a running plugin, its log."""
