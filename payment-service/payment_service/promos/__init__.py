"""Promo codes: checks, reservations that hold under concurrency, special offers."""
