"""Telephones and browsers that take push messages."""
