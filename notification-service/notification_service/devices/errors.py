"""Domain words of devices."""

from rihla.kernel import DomainError


class DeviceNotFound(DomainError):
    """No such device, or somebody else's."""


class WebPushUnavailable(DomainError):
    """No VAPID key is set."""
