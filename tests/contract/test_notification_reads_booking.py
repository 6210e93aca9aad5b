"""What notification-service's reminders read out of a booking is what booking-service's own events say."""

from typing import Any

import pytest
from sqlalchemy import text

from notification_service.reminders.rules import passport_reminders, payment_reminder, unfinished_reminder
from notification_service.wording.render import render

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_passport_that_ends_too_soon_can_be_pointed_out_from_the_event_alone(platform: Any) -> None:
    person = {"type": "adult", "given_name": "Amina", "surname": "Rahman", "date_of_birth": "1988-04-01"}
    passport = {"number": "BX0123456", "issuing_country": "BD", "nationality": "BD", "expires_on": "2027-01-15"}
    offer = (await platform.offers(days=3))[0]
    booked = await platform.book(offer["id"], passengers=[{**person, "passport": passport}])
    query = text("SELECT envelope FROM outbox WHERE envelope->'data'->>'booking_id' = :id ORDER BY position")
    async with platform.booking_app.state.container.db.transaction() as session:
        told = (await session.execute(query, {"id": booked["id"]})).scalars().all()
    facts = told[0]["data"]
    assert "BX0123456" not in str(told), "the number stays where it is kept"
    (warning,) = passport_reminders(facts)
    assert warning.values["passport_expires_on"] == "2027-01-15"
    for fact in (warning, payment_reminder(facts), unfinished_reminder(facts)):
        for locale in ("en", "ar", "bn", "ur"):
            shown = render(fact.kind, fact.values, locale, link="https://rihla.example/v1/bookings")
            assert " - " not in shown.subject
