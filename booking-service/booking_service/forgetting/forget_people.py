"""Erase the personal data of people who asked for it, as soon as a journey of theirs has ended.

Contact, passports and birth dates go from every booking that has ended. The law keeps who bought which ticket: names
stay where an e-ticket was issued, and go where none was. What is still to be flown is left whole until it is over.
Papers of an erased booking leave the store (`remove_papers.py`); a person is done with when none is left.
"""

import asyncio

from sqlalchemy import text

from booking_service.bootstrap import Container
from booking_service.forgetting.erased import ENDED, ERASED_EMAIL
from booking_service.forgetting.remove_papers import remove_papers
from rihla.telemetry import Counter
from rihla.web.loops import pause_or_stop

ERASED = Counter("rihla_bookings_erased_total", "Bookings whose personal data were erased")
_EVERY_SECONDS = 5.0
_BATCH = 50
_BOOKINGS = text(
    f"""UPDATE booking SET contact_email = '{ERASED_EMAIL}', contact_phone = NULL, metadata = '{{}}', draft = NULL
    WHERE id IN (SELECT b.id FROM booking b JOIN forgotten_person f ON f.user_id = b.user_id
      WHERE f.finished_at IS NULL AND b.state IN {ENDED} AND b.contact_email <> '{ERASED_EMAIL}'
      LIMIT :limit FOR UPDATE OF b SKIP LOCKED)
    RETURNING id"""
)
_PASSENGERS = text(
    """UPDATE passenger SET passport_number = NULL, passport_masked = NULL, passport_sealed = NULL,
      passport_issuing_country = NULL, passport_nationality = NULL, passport_expires_on = NULL, visas = '[]',
      email = NULL, phone = NULL, gender = NULL, date_of_birth = '1900-01-01',
      given_name = CASE WHEN e_ticket_number IS NULL THEN 'Erased' ELSE given_name END,
      surname = CASE WHEN e_ticket_number IS NULL THEN 'Erased' ELSE surname END
    WHERE booking_id = ANY(:ids)"""
)
_FINISHED = text(
    f"""UPDATE forgotten_person f SET finished_at = :now WHERE f.finished_at IS NULL AND NOT EXISTS (
      SELECT 1 FROM booking b WHERE b.user_id = f.user_id AND b.contact_email <> '{ERASED_EMAIL}')
    AND NOT EXISTS (SELECT 1 FROM booking b JOIN document d ON d.booking_id = b.id WHERE b.user_id = f.user_id)
    AND NOT EXISTS (SELECT 1 FROM booking b JOIN document_job j ON j.booking_id = b.id
      WHERE b.user_id = f.user_id AND j.state = 'working')"""
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
        """Erase a batch of ended bookings in one transaction, then their papers; how many bookings there were.

        Raises StorageUnavailable when papers could not be removed; the next round tries again.
        """
        async with self._c.db.transaction() as session:
            ids = (await session.execute(_BOOKINGS, {"limit": _BATCH})).scalars().all()
            if ids:
                await session.execute(_PASSENGERS, {"ids": list(ids)})
        ERASED.inc(len(ids))
        while await remove_papers(self._c):
            pass
        if not ids:
            async with self._c.db.transaction() as session:
                await session.execute(_FINISHED, {"now": self._c.clock.now()})
        return len(ids)
