"""Access log and metrics by route template."""
