"""Offers: tamper-proof ids that carry their own price lock, and the pricing of a hold."""
