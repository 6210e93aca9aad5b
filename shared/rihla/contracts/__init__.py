"""What crosses a border between services."""
