"""Subscription plans for frequent travellers."""
