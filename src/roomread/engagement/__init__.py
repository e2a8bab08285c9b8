"""Observations to engagement: arrays to scores with intervals. NumPy only, no files."""
