"""Questions that are asked often."""
