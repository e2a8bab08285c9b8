"""Pixels to arrays: where faces are and what they show. No time, no store."""
