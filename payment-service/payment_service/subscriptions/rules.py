"""What a plan covers and what it takes off. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from payment_service.subscriptions.errors import RidesNotInPlan, SubscriptionRouteNotCovered

# Every month has at least this many of each weekday; a fifth is carried besides (`seat_uses.py`).
WEEKS = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """Routes are directions (`DAC-CXB`), none means every route; basis points are hundredths of a percent."""

    routes: tuple[str, ...]
    cabin: str
    discount_basis_points: int | None


@dataclass(frozen=True, slots=True)
class Leg:
    """One segment of a booking with its fare in minor units."""

    route: str
    cabin: str
    fare_minor: int


def plan_discount(plan: Plan, legs: Sequence[Leg]) -> int:
    """Minor units off: the whole fares for rides, each fare's percentage, rounded down, for a discount plan.

    Raises SubscriptionRouteNotCovered.
    """
    for leg in legs:
        if plan.routes and leg.route not in plan.routes:
            raise SubscriptionRouteNotCovered(f"This plan is for {', '.join(plan.routes)}, not for {leg.route}.")
        if leg.cabin != plan.cabin:
            raise SubscriptionRouteNotCovered(f"This plan is for {plan.cabin.replace('_', ' ')}.")
    if plan.discount_basis_points is None:
        return sum(leg.fare_minor for leg in legs)
    return sum(leg.fare_minor * plan.discount_basis_points // 10_000 for leg in legs)


def check_rides(plan: Plan, rides_per_period: int | None, routes: Sequence[str]) -> None:
    """Whether weekly rides fit the plan. Raises RidesNotInPlan."""
    if rides_per_period is None:
        raise _not_valid("plan-without-rides", "This plan is a discount; it has no standing seats.")
    if len(routes) * WEEKS > rides_per_period:
        most = rides_per_period // WEEKS
        raise _not_valid("too-many-rides", f"This plan carries {most} rides a week ({rides_per_period} a month).")
    if plan.routes and not set(routes) <= set(plan.routes):
        raise _not_valid("route-not-covered", f"This plan is for {', '.join(plan.routes)}.")


def _not_valid(code: str, message: str) -> RidesNotInPlan:
    return RidesNotInPlan(message, errors=[{"pointer": "#/rides", "code": code, "message": message}])
