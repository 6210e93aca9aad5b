"""A rule-based assistant that shows its sources and acts only on a confirmed button."""
