"""Erase the personal data of people who asked for it, as soon as a journey of theirs has ended.

Contact, passports and birth dates go from every booking that has ended. The law keeps who bought which ticket: names
stay where an e-ticket was issued, and go where none was. What is still to be flown is left whole until it is over.
"""

import asyncio

from sqlalchemy import text

from booking_service.bootstrap import Container
from rihla.telemetry import Counter
from rihla.web.loops import pause_or_stop

ERASED = Counter("rihla_bookings_erased_total", "Bookings whose personal data were erased")
ERASED_EMAIL = "erased@erased.invalid"
_EVERY_SECONDS = 5.0
_BATCH = 50
_ENDED = "('expired', 'cancelled', 'completed', 'refused')"
_BOOKINGS = text(
    f"""UPDATE booking SET contact_email = '{ERASED_EMAIL}', contact_phone = NULL, metadata = '{{}}', draft = NULL
    WHERE id IN (SELECT b.id FROM booking b JOIN forgotten_person f ON f.user_id = b.user_id
      WHERE f.finished_at IS NULL AND b.state IN {_ENDED} AND b.contact_email <> '{ERASED_EMAIL}'
      LIMIT :limit FOR UPDATE OF b SKIP LOCKED)
    RETURNING id"""
)
_PASSENGERS = text(
    """UPDATE passenger SET passport_number = NULL, passport_issuing_country = NULL, passport_nationality = NULL,
      passport_expires_on = NULL, visas = '[]', email = NULL, phone = NULL, gender = NULL, date_of_birth = '1900-01-01',
      given_name = CASE WHEN e_ticket_number IS NULL THEN 'Erased' ELSE given_name END,
      surname = CASE WHEN e_ticket_number IS NULL THEN 'Erased' ELSE surname END
    WHERE booking_id = ANY(:ids)"""
)
_FINISHED = text(
    f"""UPDATE forgotten_person f SET finished_at = :now WHERE f.finished_at IS NULL AND NOT EXISTS (
      SELECT 1 FROM booking b WHERE b.user_id = f.user_id AND b.contact_email <> '{ERASED_EMAIL}')"""
)


class Forgetter:
    """`run` is a worker loop; `forget_due` erases a batch. Takes several workers (SKIP LOCKED)."""

    name = "forgetter"

    def __init__(self, c: Container) -> None:
        self._c = c

    async def run(self, stop: asyncio.Event) -> None:
        """Erase until `stop`."""
        while not stop.is_set():
            if await self.forget_due() == 0:
                await pause_or_stop(stop, _EVERY_SECONDS)

    async def forget_due(self) -> int:
        """Erase a batch of ended bookings in one transaction; how many there were."""
        async with self._c.db.transaction() as session:
            ids = (await session.execute(_BOOKINGS, {"limit": _BATCH})).scalars().all()
            if ids:
                await session.execute(_PASSENGERS, {"ids": list(ids)})
            else:
                await session.execute(_FINISHED, {"now": self._c.clock.now()})
        ERASED.inc(len(ids))
        return len(ids)
