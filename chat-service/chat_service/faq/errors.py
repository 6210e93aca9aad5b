"""Domain words of the FAQ."""

from rihla.kernel import DomainError


class FaqEntryNotFound(DomainError):
    """No such entry, or not published."""


class FaqEntryExists(DomainError):
    """The slug has an entry in this language already."""
