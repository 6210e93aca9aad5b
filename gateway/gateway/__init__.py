"""Rihla's gateway: one door in front of all services."""
