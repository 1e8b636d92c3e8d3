"""The gRPC host: Mattermost's Python plugin runtime, and any go-plugin host in gRPC mode."""
