"""A person's money and coins with us."""
