"""Which coupons a cancellation takes: pure rules."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from booking_service.bookings.view import BookingView, CouponView, SliceView


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Everything, or the slices and passengers named (no slices named: all of them; the same for passengers)."""

    whole: bool
    slice_ids: frozenset[UUID] = frozenset()
    passenger_ids: frozenset[UUID] = frozenset()


def unknown_ids(view: BookingView, scope: Scope) -> list[tuple[str, str, str]]:
    """Ids of the scope that are not of this booking, as findings."""
    slices = {one.id for one in view.slices}
    passengers = {one.id for one in view.passengers}
    findings = []
    if scope.slice_ids - slices:
        findings.append(("#/slice_ids", "unknown-slice", "The booking has no such slice."))
    if scope.passenger_ids - passengers:
        findings.append(("#/passenger_ids", "unknown-passenger", "The booking has no such passenger."))
    if not scope.whole and not scope.slice_ids and not scope.passenger_ids:
        findings.append(("#/scope", "scope-is-empty", "Name the slices or passengers to cancel."))
    return findings


def with_infants(view: BookingView, passenger_ids: Collection[UUID]) -> frozenset[UUID]:
    """These passengers and the infants who travel on their laps: an infant leaves with its adult."""
    return frozenset(passenger_ids) | {one.id for one in view.passengers if one.accompanied_by in passenger_ids}


def coupons_in(view: BookingView, scope: Scope) -> list[CouponView]:
    """The live coupons of the scope, those of flights that have left included."""
    every = {one.id for one in view.passengers}
    passengers = every if scope.whole or not scope.passenger_ids else with_infants(view, scope.passenger_ids)
    slices = {one.id for one in view.slices} if scope.whole or not scope.slice_ids else scope.slice_ids
    return [
        coupon
        for coupon in view.coupons
        if coupon.live and coupon.passenger_id in passengers and coupon.slice_id in slices
    ]


def departed(one: SliceView, now: datetime) -> bool:
    """Whether the first flight of the slice has left."""
    return one.departure_at <= now
