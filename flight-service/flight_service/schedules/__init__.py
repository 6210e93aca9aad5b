"""Schedules and the flights they make; operations of a flight."""
