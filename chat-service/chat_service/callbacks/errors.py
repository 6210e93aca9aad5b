"""Domain words of callbacks."""

from rihla.kernel import DomainError


class CallbackNotFound(DomainError):
    """No such request, or somebody else's."""


class SlotNotOffered(DomainError):
    """Nobody calls at that time."""


class SlotFull(DomainError):
    """All calls of this slot are taken."""


class CallbackPending(DomainError):
    """This person waits for a call already."""


class CallbackStateConflict(DomainError):
    """The request cannot move so from where it is."""
