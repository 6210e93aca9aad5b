"""Who is told about a booking, and who about a flight: also passengers who have an account of their own.

A passenger's account is the one whose address or number was given for that passenger. auth-service tells us only
addresses that were proven by a code, and whoever booked learns nothing of it.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.contacts.tables import contact
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


async def travellers_of(session: AsyncSession, facts: Mapping[str, Any], flight_id: UUID) -> tuple[Recipient, ...]:
    """The owner, and the account of every passenger who flies on this flight; each once."""
    found = {UUID(facts["user_id"]): owner_of(facts)}
    flying = [person for person in facts.get("passengers", ()) if _flies(person, flight_id)]
    emails = {person["email"].lower() for person in flying if person.get("email")}
    phones = {person["phone"] for person in flying if person.get("phone")}
    if emails or phones:
        theirs = or_(func.lower(contact.c.email).in_(emails), contact.c.phone.in_(phones))
        for user_id in (await session.execute(select(contact.c.user_id).where(theirs))).scalars():
            found.setdefault(user_id, Recipient(user_id))
    return tuple(found.values())


def _flies(person: Mapping[str, Any], flight_id: UUID) -> bool:
    return any(
        coupon["flight_id"] == str(flight_id) and coupon["status"] in ("open", "checked_in")
        for coupon in person.get("coupons", ())
    )


def is_checked_in(facts: Mapping[str, Any], flight_id: UUID) -> bool:
    """Whether nobody of the booking is left to check in on this flight."""
    states = [
        coupon["status"]
        for person in facts.get("passengers", ())
        for coupon in person.get("coupons", ())
        if coupon["flight_id"] == str(flight_id)
    ]
    return "open" not in states
