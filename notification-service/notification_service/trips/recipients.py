"""Who is told about a booking. Pure."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from notification_service.telling.facts import Recipient


def owner_of(facts: Mapping[str, Any]) -> Recipient:
    """Whoever booked, at the contact they gave for this booking."""
    contact = facts.get("contact") or {}
    return Recipient(
        user_id=UUID(facts["user_id"]),
        email=contact.get("email"),
        phone=contact.get("phone"),
        locale=facts.get("locale"),
    )


def travellers_of(facts: Mapping[str, Any], flight_id: UUID) -> tuple[Recipient, ...]:
    """The owner, and every passenger with an account of their own who flies on this flight; each once."""
    found = {UUID(facts["user_id"]): owner_of(facts)}
    for person in facts.get("passengers", ()):
        flies = any(
            coupon["flight_id"] == str(flight_id) and coupon["status"] in ("open", "checked_in")
            for coupon in person.get("coupons", ())
        )
        if flies and person.get("user_id"):
            found.setdefault(UUID(person["user_id"]), Recipient(UUID(person["user_id"])))
    return tuple(found.values())


def is_checked_in(facts: Mapping[str, Any], flight_id: UUID) -> bool:
    """Whether nobody of the booking is left to check in on this flight."""
    states = [
        coupon["status"]
        for person in facts.get("passengers", ())
        for coupon in person.get("coupons", ())
        if coupon["flight_id"] == str(flight_id)
    ]
    return "open" not in states
