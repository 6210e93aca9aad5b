"""Domain words of canned replies."""

from rihla.kernel import DomainError


class CannedReplyNotFound(DomainError):
    """No such reply."""
