"""What a person wants to hear, where, and when not."""
