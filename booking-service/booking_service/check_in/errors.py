"""Domain words of check-in."""

from rihla.kernel import DomainError


class CheckInNotOpen(DomainError):
    """Too early; `opens_at` says when."""


class CheckInClosed(DomainError):
    """Too late."""


class PassportRequired(DomainError):
    """An international flight and a passenger without valid passport data; `passenger_ids` says who."""


class NotCheckedIn(DomainError):
    """There is no check-in to undo."""


class NothingToCheckIn(DomainError):
    """The booking is not one to travel on, or everything is checked in already."""
