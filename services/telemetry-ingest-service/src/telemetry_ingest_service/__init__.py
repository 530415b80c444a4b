"""Readings of sensors: taken in, kept, shown live."""
