"""Webhooks out: partners are told of their own bookings at addresses they name, signed after Standard Webhooks."""
