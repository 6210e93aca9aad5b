"""Open sockets, and what travels over them between instances."""
