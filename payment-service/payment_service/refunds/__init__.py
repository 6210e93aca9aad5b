"""Refunds: back the way the money came, retried until done, visible when refused."""
