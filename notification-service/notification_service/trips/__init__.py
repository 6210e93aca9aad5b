"""What this service remembers of bookings, so that flight news and reminders find their people."""
