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


class SubscriptionNotActive(DomainError):
    """No paid month of this person's subscription covers the day of travel."""


class SubscriptionRouteNotCovered(DomainError):
    """The plan is for other routes or another cabin."""


class SubscriptionRidesUsedUp(DomainError):
    """The month's rides are used."""


class SubscriptionUseDiffers(DomainError):
    """The booking's rides were reserved for another content."""


class SubscriptionUseUnknown(DomainError):
    """Nobody reserved rides for this booking."""


class SeatPlanNotPossible(DomainError):
    """The month's seats cannot all be had; `missing` says which rides."""


class SeatPlanRefused(DomainError):
    """booking-service does not take this passenger or contact; the detail is its own."""


class RidesNotInPlan(DomainError):
    """The weekly rides do not fit the plan; `errors` says why."""
