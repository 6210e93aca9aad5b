"""The seeded network: real airports, fictional airlines, their fleets and routes."""
