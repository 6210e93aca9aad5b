"""Replies the desk writes often."""
