"""Domain words of codes."""

from rihla.kernel import DomainError


class CodeNotAccepted(DomainError):
    """The mail server or SMS provider did not take the message; ask again."""


class AddressRefused(DomainError):
    """The provider says that this address will never take a message."""
