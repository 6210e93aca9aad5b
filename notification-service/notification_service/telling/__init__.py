"""From a fact to a notice, and from a notice to its deliveries by the person's preferences."""
