"""Files of runs and logged models."""
