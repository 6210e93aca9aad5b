"""Domain words of conversations."""

from rihla.kernel import DomainError


class ConversationNotFound(DomainError):
    """No such conversation, or somebody else's."""


class ConversationTaken(DomainError):
    """A colleague has this conversation."""


class NotYours(DomainError):
    """Only whoever has the conversation can hand it over."""


class ColleagueUnknown(DomainError):
    """Nobody at the desk has this id."""


class MessageRefused(DomainError):
    """The message is not one that can be sent."""


class ClientIdReused(DomainError):
    """The client id came before with other content."""


class AccountSuspended(DomainError):
    """The account may not take part at present."""
