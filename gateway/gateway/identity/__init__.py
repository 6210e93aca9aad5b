"""Who is calling: access tokens, partner keys, revocations, and the internal token made from them."""
