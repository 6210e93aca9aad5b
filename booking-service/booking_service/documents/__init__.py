"""Tickets, receipts, boarding passes and calendar files: made by a worker, stored, and given to their owner only."""
