"""Domain words of disruptions."""

from rihla.kernel import DomainError


class NoDisruption(DomainError):
    """The booking has no open disruption."""
