"""Numbered receipts of payments that succeeded."""
