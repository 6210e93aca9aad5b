"""One conversation of each traveller with support: stored, ordered, acknowledged."""
