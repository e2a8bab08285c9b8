"""Where watching meets the store."""
