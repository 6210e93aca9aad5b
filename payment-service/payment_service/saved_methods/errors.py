"""What saved methods refuse."""

from rihla.kernel import DomainError


class SavedMethodNotFound(DomainError):
    """No such saved method of this person, or it is not ready to pay with."""


class SavedMethodLimit(DomainError):
    """The person keeps as many as one may."""
