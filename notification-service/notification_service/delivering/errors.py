"""Domain words of deliveries."""

from rihla.kernel import DomainError


class DeliveryNotFound(DomainError):
    """No such delivery."""


class ResentTooSoon(DomainError):
    """It was sent a moment ago, or often enough."""


class DeliveryBusy(DomainError):
    """It is queued or being sent; sending it again would make two."""
