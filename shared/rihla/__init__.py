"""The library every Rihla service stands on: plumbing and contracts, no business rule."""
