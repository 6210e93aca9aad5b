"""Money: payments, providers, the double-entry ledger, refunds, wallet and coins, promo codes, subscriptions."""
