"""Is the gateway alive, is it ready, and how are the services behind it."""
