"""Messages: plain functions that are called for what people write."""
