"""What happens to every request: path, headers, credentials, limits, then the way on."""
