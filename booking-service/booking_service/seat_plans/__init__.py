"""The seats of a subscription's period: reserved as one command, all or nothing (docs/contracts.md)."""
