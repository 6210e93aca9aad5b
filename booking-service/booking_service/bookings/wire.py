"""A booking as JSON. Built as plain dicts and encoded by msgspec, because every answer of the service is one of these
and
pydantic costs several times as much; `schemas.Booking` documents the shape and a test holds the two together.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from booking_service.bookings.states import BookingState, ChargeState
from booking_service.bookings.view import BookingView, ChargeView, PassengerView, PriceLineView, SegmentView, SliceView
from rihla.kernel.money import format_minor

Json = dict[str, Any]
_encoder = msgspec.json.Encoder()


def money(amount_minor: int, currency: str) -> Json:
    """An amount with exactly the digits of its currency."""
    return {"amount": format_minor(amount_minor, currency), "currency": currency}


def duration(minutes: int) -> str:
    """ISO 8601: `PT5H20M`."""
    hours, rest = divmod(minutes, 60)
    return "PT" + (f"{hours}H" if hours else "") + (f"{rest}M" if rest or not hours else "")


def utc(instant: datetime | None) -> datetime | None:
    """In UTC, so that it is written with a `Z`."""
    return None if instant is None else instant.astimezone(UTC)


def booking_json(view: BookingView, now: datetime) -> bytes:
    """The resource as bytes. `now` decides the seconds left to pay."""
    return _encoder.encode(booking_document(view, now))


def page_json(items: list[Json], next_cursor: str | None) -> bytes:
    """One page of a list as bytes."""
    return _encoder.encode({"items": items, "next_cursor": next_cursor})


def booking_document(view: BookingView, now: datetime) -> Json:
    """The resource as plain values."""
    currency = view.currency
    pending = view.state is BookingState.PENDING_PAYMENT
    left = (view.payment_required_by - now).total_seconds()
    return {
        "id": view.id,
        "reference": view.reference,
        "status": view.status,
        "offer_id": view.offer_id,
        "payment_required_by": utc(view.payment_required_by),
        "payment_seconds_left": max(0, int(left)) if pending else None,
        "total": money(view.total_minor, currency),
        "price": price_document(view.price_lines, view.passengers, currency),
        "slices": [_slice(one) for one in view.slices],
        "passengers": [_passenger(one) for one in view.passengers],
        "charges": [_charge(one) for one in view.charges],
        "refunds": [
            {
                "id": one.id,
                "charge_id": one.charge_id,
                "amount": money(one.amount_minor, one.currency),
                "fee": money(one.fee_minor, one.currency),
                "reason": one.reason,
                "status": one.status,
                "destinations": [_destination(part) for part in one.destinations],
                "created_at": utc(one.created_at),
            }
            for one in view.refunds
        ],
        "fare_rules": _fare_rules(view.fare_rules, currency),
        "notes": view.notes,
        "contact": {"email": view.contact_email, "phone": view.contact_phone, "locale": view.locale},
        "promo_code": view.promo_code,
        "subscription_id": view.subscription_id,
        "metadata": view.metadata,
        "version": view.version,
        "created_at": utc(view.created_at),
        "confirmed_at": utc(view.confirmed_at),
        "expired_at": utc(view.expired_at),
        "cancelled_at": utc(view.cancelled_at),
        "completed_at": utc(view.completed_at),
    }


def _destination(part: Json) -> Json:
    if "amount_minor" not in part:
        return part
    return {"kind": part.get("kind"), "amount": money(int(part["amount_minor"]), str(part.get("currency", "USD")))}


def _fare_rules(rules: Json, currency: str) -> Json:
    fee = rules.get("change_fee_minor")
    return {
        "refundable": bool(rules.get("refundable")),
        "changeable": bool(rules.get("changeable")),
        "change_fee": None if fee is None else money(int(fee), currency),
        "checked_bag": bool(rules.get("checked_bag")),
        "seat_choice": rules.get("seat_choice", "none"),
        "refund_brackets": rules.get("refund_brackets", []),
    }


def price_document(lines: Iterable[PriceLineView], passengers: Iterable[PassengerView], currency: str) -> Json:
    """The breakdown: it adds up to the total, by kind, by passenger type and line by line."""
    lines = list(lines)
    travellers = list(passengers)
    kind_of = {one.id: one.type for one in travellers}
    taxes: dict[tuple[str, str], int] = {}
    sums = {"base": 0, "extra": 0, "seat": 0, "discount": 0, "charge": 0}
    by_type: dict[str, int] = {}
    for line in lines:
        if line.kind == "tax":
            taxes[line.code, line.name] = taxes.get((line.code, line.name), 0) + line.amount_minor
        else:
            sums[line.kind] = sums.get(line.kind, 0) + line.amount_minor
        passenger_type = kind_of.get(line.passenger_id, "adult")
        by_type[passenger_type] = by_type.get(passenger_type, 0) + line.amount_minor
    counts: dict[str, int] = {}
    for one in travellers:
        counts[one.type] = counts.get(one.type, 0) + 1
    return {
        "total": money(sum(line.amount_minor for line in lines), currency),
        "base": money(sums["base"], currency),
        "taxes": [{"code": c, "name": n, "amount": money(minor, currency)} for (c, n), minor in taxes.items()],
        "charges": money(sums["charge"], currency),
        "seats": money(sums["seat"], currency),
        "extras": money(sums["extra"], currency),
        "discount": money(sums["discount"], currency),
        "per_passenger": [
            {"type": kind, "count": counts.get(kind, 0), "total": money(minor, currency)}
            for kind, minor in by_type.items()
        ],
        "lines": [
            {
                "passenger_id": line.passenger_id,
                "flight_id": line.flight_id,
                "kind": line.kind,
                "code": line.code,
                "name": line.name,
                "amount": money(line.amount_minor, currency),
            }
            for line in lines
        ],
    }


def _slice(one: SliceView) -> Json:
    first, last = one.segments[0], one.segments[-1]
    minutes = int((last.arrival_at - first.departure_at).total_seconds()) // 60
    return {
        "id": one.id,
        "origin": first.origin,
        "destination": last.destination,
        "departure_at": first.departure_at,
        "arrival_at": last.arrival_at,
        "duration": duration(minutes),
        "stops": len(one.segments) - 1,
        "segments": [segment_document(segment) for segment in one.segments],
    }


def segment_document(one: SegmentView) -> Json:
    """One flight of the itinerary, with the airport's local times."""
    return {
        "flight_id": one.flight_id,
        "flight_number": one.flight_number,
        "airline": one.airline,
        "airline_name": one.airline_name,
        "aircraft": one.aircraft,
        "origin": one.origin,
        "destination": one.destination,
        "departure_at": one.departure_at,
        "arrival_at": one.arrival_at,
        "duration": duration(one.duration_minutes),
        "terminal": one.terminal,
        "gate": one.gate,
        "status": one.status,
        "delay_minutes": one.delay_minutes,
        "cabin": one.cabin,
        "fare_brand": one.fare_brand,
        "fare_class": one.fare_class,
        "international": one.international,
        "baggage": {"checked_kg": one.checked_kg, "cabin_kg": one.cabin_kg},
    }


def _passenger(one: PassengerView) -> Json:
    passport = None
    if one.passport_shown:
        passport = {
            "number": one.passport_shown,
            "issuing_country": one.passport_issuing_country,
            "nationality": one.passport_nationality,
            "expires_on": one.passport_expires_on,
        }
    return {
        "id": one.id,
        "type": one.type,
        "title": one.title,
        "given_name": one.given_name,
        "surname": one.surname,
        "date_of_birth": one.date_of_birth,
        "gender": one.gender,
        "passport": passport,
        "visas": [{"country": visa.country, "expires_on": visa.expires_on} for visa in one.visas],
        "contact": {"email": one.email, "phone": one.phone} if one.email or one.phone else None,
        "seat_preference": one.seat_preference,
        "ssr": one.ssr,
        "extra_bags": one.extra_bags,
        "accompanied_by": one.accompanied_by,
        "e_ticket_number": one.e_ticket_number,
        "coupons": [
            {
                "id": coupon.id,
                "flight_id": coupon.flight_id,
                "slice_id": coupon.slice_id,
                "status": coupon.status,
                "seat": coupon.seat,
                "e_ticket_number": coupon.e_ticket_number,
                "check_in_sequence": coupon.sequence,
                "checked_in_at": utc(coupon.checked_in_at),
            }
            for coupon in one.coupons
        ],
    }


def _charge(one: ChargeView) -> Json:
    return {
        "id": one.id,
        "kind": one.kind,
        "amount": money(one.amount_minor, one.currency),
        "status": one.status,
        "payable_until": utc(one.payable_until) if one.state is ChargeState.DUE else None,
        "paid_at": utc(one.paid_at),
        "refunded": money(one.refunded_minor, one.currency),
    }


def without_contact(document: Json) -> Json:
    """What somebody sees who knows reference and surname but is not signed in as the owner."""
    hidden = {"email": None, "phone": None, "locale": document["contact"]["locale"]}
    nothing: Json = {"contact": None, "passport": None, "visas": [], "date_of_birth": None}
    passengers = [{**one, **nothing} for one in document["passengers"]]
    return {
        **document,
        "contact": hidden,
        "passengers": passengers,
        "metadata": {},
        "promo_code": None,
        "subscription_id": None,
    }
