"""For tests: applications in process, real servers, waiting for conditions."""

from rihla.testing.running import eventually, running

__all__ = ["eventually", "running"]
