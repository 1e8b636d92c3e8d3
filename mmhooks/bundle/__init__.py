"""Makes the bundle that a Mattermost server takes from a plugin's folder, and shows that it runs."""
