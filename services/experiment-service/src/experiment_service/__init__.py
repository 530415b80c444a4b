"""Experiments and runs: what was tried, with what parameters, and how it ended."""
