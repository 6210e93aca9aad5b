"""Double-entry ledger: append-only postings that sum to zero in every unit, hash-chained, with cached user balances."""
