"""What an event of a booking means: the state it gives the booking, and what of it is worth telling. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from notification_service.telling.facts import Fact
from rihla.contracts.events import Envelope

LIVE = ("confirmed", "partially_cancelled", "disrupted")
ENDED = ("cancelled", "expired", "completed")
_STATUS = {
    "booking.created.v1": "pending_payment",
    "booking.confirmed.v1": "confirmed",
    "booking.expired.v1": "expired",
    "booking.disrupted.v1": "disrupted",
    "booking.completed.v1": "completed",
}


def status_after(event_type: str, facts: Mapping[str, Any]) -> str | None:
    """The state an event puts its booking into; None where it leaves it as it is."""
    if event_type == "booking.cancelled.v1":
        return "cancelled" if facts["whole"] else "partially_cancelled"
    return _STATUS.get(event_type)


def booking_fact(envelope: Envelope, facts: Mapping[str, Any]) -> Fact | None:
    """What an event of a booking is worth telling; None for what only needs remembering."""
    booking_id = facts["booking_id"]
    kinds = {
        "booking.confirmed.v1": ("booking_confirmed", booking_id),
        "booking.expired.v1": ("booking_expired", f"{booking_id}:{facts.get('expired_at')}"),
        "booking.cancelled.v1": (
            "booking_cancelled_refund" if facts.get("refund_minor") else "booking_cancelled",
            f"{booking_id}:{envelope.sequence}",
        ),
        "booking.disrupted.v1": ("booking_disrupted", f"{booking_id}:{envelope.sequence}"),
        "booking.checked_in.v1": ("boarding_passes", f"{booking_id}:{envelope.sequence}"),
        "booking.changed.v1": ("booking_changed", f"{booking_id}:{envelope.sequence}"),
    }
    if envelope.type not in kinds:
        return None
    if envelope.type == "booking.changed.v1" and facts.get("kind") in ("passenger", "schedule"):
        return None
    kind, name = kinds[envelope.type]
    fact = Fact(f"{kind}:{name}", kind, facts, booking_id=UUID(booking_id), sequence=envelope.sequence)
    if kind == "booking_disrupted":
        hit = next((one for one in facts["segments"] if one["flight_id"] == facts["flight_id"]), None)
        return replace(fact, values={**facts, "flight_number": hit["flight_number"] if hit else ""})
    return fact


def is_stale(kind: str, newer_status: str | None) -> bool:
    """Whether newer facts make the notice pointless: a confirmation of what is cancelled by now, an old disruption."""
    if newer_status is None:
        return False
    if kind == "booking_disrupted":
        return True
    return newer_status in ENDED and kind in ("booking_confirmed", "booking_changed", "boarding_passes")
