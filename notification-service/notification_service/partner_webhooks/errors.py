"""Domain words of partners' webhooks."""

from rihla.kernel import DomainError


class WebhookEndpointNotFound(DomainError):
    """No such endpoint of this organisation in this mode."""


class TooManyWebhookEndpoints(DomainError):
    """The organisation has as many as it may."""


class WebhookEndpointDisabled(DomainError):
    """Nothing is sent to it until it is enabled again."""
