"""Domain words of reading notices."""

from rihla.kernel import DomainError


class NoticeNotFound(DomainError):
    """No such notice, or somebody else's."""


class UnknownTemplate(DomainError):
    """No such kind of notice."""


class UnsubscribeLinkInvalid(DomainError):
    """The token of the link is not one we made."""
