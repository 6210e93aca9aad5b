"""Airports, cities, airlines and aircraft types."""
