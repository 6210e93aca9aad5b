"""One-time codes, sent at once for auth-service and kept nowhere."""
