"""Domain words of tickets."""

from rihla.kernel import DomainError


class TicketNotFound(DomainError):
    """No such ticket, or somebody else's."""


class TicketStateConflict(DomainError):
    """The ticket cannot move so from where it is."""


class TicketClosed(DomainError):
    """Closed too long ago to be reopened."""


class InvalidSignature(DomainError):
    """A message that does not come from our mail adapter."""


class MailRefused(DomainError):
    """Mail to an address that was not made by us, or without words."""
