"""Short-lived copies of public catalogue answers."""
