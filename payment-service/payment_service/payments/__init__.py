"""Payments: one state machine from attempt to outcome, at most one success for each charge."""
