"""Long numeric series in PostgreSQL: append-only compressed chunks, read as pictures."""
