"""Every frame of a source to observations; knows time, no store."""
