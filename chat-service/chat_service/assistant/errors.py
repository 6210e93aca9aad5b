"""Domain words of the assistant."""

from rihla.kernel import DomainError


class ActionNotFound(DomainError):
    """No such button, or offered to somebody else."""


class ActionExpired(DomainError):
    """The button was offered too long ago."""
