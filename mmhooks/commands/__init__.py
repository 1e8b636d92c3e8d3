"""Slash commands: plain functions whose parameters are what people type."""
