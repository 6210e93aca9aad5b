"""What a call to another service may end in."""

from rihla.kernel import DomainError


class UpstreamUnavailable(DomainError):
    """The other service did not answer within the deadline, or its breaker is open. Whether it acted is unknown."""
