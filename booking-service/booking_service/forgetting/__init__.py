"""What happens to the bookings of a person who asked to be forgotten."""
