"""What receipts refuse."""

from rihla.kernel import DomainError


class ReceiptNotReady(DomainError):
    """There is no receipt for a payment that has not succeeded."""
