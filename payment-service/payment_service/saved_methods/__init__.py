"""Cards a person saves at a provider to pay with again; we keep the provider's token, encrypted, and never a number."""
