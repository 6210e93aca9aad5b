"""Domain words of cancelling."""

from rihla.kernel import DomainError


class NothingToCancel(DomainError):
    """The scope holds no coupon that is still live."""


class AlreadyDeparted(DomainError):
    """A flight in the scope has left."""


class QuoteNotFound(DomainError):
    """The booking has no such quote."""


class QuoteExpired(DomainError):
    """The quote's time is over."""


class QuoteOutdated(DomainError):
    """The booking is not what the quote was made of."""
