"""Domain words of deliveries."""

from rihla.kernel import DomainError


class DeliveryNotFound(DomainError):
    """No such delivery."""


class DeliveryBusy(DomainError):
    """It is queued or being sent; sending it again would make two."""
