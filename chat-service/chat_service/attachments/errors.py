"""Domain words of attachments."""

from rihla.kernel import DomainError


class AttachmentNotFound(DomainError):
    """No such attachment, or somebody else's."""


class AttachmentRefused(DomainError):
    """What was announced or uploaded is not taken."""


class AttachmentNotUploaded(DomainError):
    """The upload has not arrived."""


class AttachmentNotUsable(DomainError):
    """The attachment cannot be posted: not checked, of another kind, or posted already."""


class AddressInvalid(DomainError):
    """A signed address that was not made by us, was changed, or is over."""
