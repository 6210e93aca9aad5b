"""What happens to accounts elsewhere: suspended, deleted."""
