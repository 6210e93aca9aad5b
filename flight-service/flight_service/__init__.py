"""flight-service: what can be sold - airports, aircraft, schedules, flights, fares, seats, search."""
