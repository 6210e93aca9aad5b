"""What subscriptions refuse."""

from rihla.kernel import DomainError


class PlanNotFound(DomainError):
    """No such plan, or it is no longer sold."""


class SubscriptionNotFound(DomainError):
    """No such subscription of this person."""


class SubscriptionExists(DomainError):
    """The person has a live subscription to this plan."""


class SubscriptionStateConflict(DomainError):
    """The subscription's state does not allow this."""
