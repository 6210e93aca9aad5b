"""Domain words of changing."""

from rihla.kernel import DomainError


class SeatNotOffered(DomainError):
    """Infants have no seat, and a seat is not moved after check-in."""


class NotChangeable(DomainError):
    """The fare rules, or the day of departure, forbid it."""


class OtherRoute(DomainError):
    """A change keeps origin and destination."""
