"""What refunds refuse."""

from rihla.kernel import DomainError


class RefundExceedsCaptured(DomainError):
    """More than what is left of what was captured."""


class RefundContentDiffers(DomainError):
    """The refund id came before with other content."""


class RefundNotFound(DomainError):
    """No such refund."""


class RefundNotFailed(DomainError):
    """Only a failed refund can be tried again or paid another way."""
