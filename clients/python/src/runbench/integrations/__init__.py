"""Callbacks for the trainers people use; each imports its framework only when it is imported."""
