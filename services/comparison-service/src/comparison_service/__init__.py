"""Runs side by side, saved comparisons and baselines."""
