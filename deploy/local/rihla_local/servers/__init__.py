"""Private instances of PostgreSQL, Redis and RabbitMQ on loopback ports, for one checkout or one test run."""
