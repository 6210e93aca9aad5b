"""People who want to be called."""
