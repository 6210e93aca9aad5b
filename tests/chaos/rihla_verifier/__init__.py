"""The independent verifier: what must be true of the databases, whatever happened to the processes.

It reads only the databases and a recorded client history and shares no code with the services: a mistake in theirs
cannot hide behind the same mistake here. Every check is one query or two and says in a sentence what it found.
"""
