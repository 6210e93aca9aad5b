"""Fares: the rule set, currencies, flash sales, price history."""
