"""Support tickets: numbers, states, due times, internal notes, replies by mail."""
