"""Notices that time brings: check-in opens, a payment is due, the flight leaves soon."""
