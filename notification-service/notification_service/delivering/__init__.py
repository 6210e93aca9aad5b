"""Sending what is due: states, attempts, back-off, dead letters, and the view of operations."""
