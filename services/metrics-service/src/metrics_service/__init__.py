"""Metric series of runs and their latest values."""
