"""What providers tell us: verified on the raw body, stored once, handled once."""
