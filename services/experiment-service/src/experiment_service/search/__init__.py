"""The language that runs are searched in."""
