"""Seats of each flight and cabin, and the holds on them: nothing here can sell a seat twice (ADR 0003)."""
