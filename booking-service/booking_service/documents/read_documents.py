"""Give a booking's documents to their owner: list, download, and make anew what got lost."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings.read_booking import load_owned
from booking_service.bookings.view import BookingView
from booking_service.documents import store
from booking_service.documents.errors import DocumentNotFound, NoDocumentYet, NotCheckedIn
from booking_service.documents.kinds import DocumentKind
from booking_service.documents.make_papers import PDF, PNG, booking_link, pass_subject
from booking_service.documents.papers.calendar_file import calendar_file
from booking_service.documents.papers.compose_pass import find_checked_in
from booking_service.documents.parts import DocumentParts, airport_name
from booking_service.documents.request_documents import request_boarding_passes, request_documents
from rihla.auth import Principal
from rihla.db import Database
from rihla.kernel import Clock
from rihla.storage import ObjectMissing

# States in which a ticket has been issued (a cancelled booking keeps the papers it had).
_TICKETED = ("confirmed", "partially_cancelled", "disrupted", "completed")


@dataclass(frozen=True, slots=True)
class Download:
    """A file for the caller."""

    name: str
    media_type: str
    data: bytes
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """What there is and what is on its way."""

    booking: BookingView
    ready: list[RowMapping]
    being_made: list[DocumentKind]


class DocumentReader:
    """Every method answers the owner only (BookingNotFound for others). None instead of a file: it is being made."""

    def __init__(self, db: Database, parts: DocumentParts, clock: Clock) -> None:
        self._db = db
        self._parts = parts
        self._clock = clock

    async def overview(self, booking_id: UUID, who: Principal) -> Overview:
        """All current documents of the booking."""
        async with self._db.transaction() as session:
            booking = await load_owned(session, booking_id, who)
            ready = await store.current_documents(session, booking_id)
            jobs = await store.live_jobs(session, booking_id)
        kinds = [DocumentKind(order["kind"]) for job in jobs for order in job["orders"]]
        return Overview(booking, ready, kinds)

    async def by_id(self, booking_id: UUID, document_id: UUID, who: Principal) -> Download | None:
        """One document, older versions included. Raises DocumentNotFound."""
        async with self._db.transaction() as session:
            await load_owned(session, booking_id, who)
            row = await store.find_document(session, booking_id, document_id)
        if row is None:
            raise DocumentNotFound("The booking has no such document; the documents list names those it has.")
        return await self._fetch(row)

    async def paper(self, booking_id: UUID, kind: DocumentKind, who: Principal) -> Download | None:
        """The newest ticket (of all airlines) or receipt. Raises NoDocumentYet before the booking is confirmed."""
        async with self._db.transaction() as session:
            booking = await load_owned(session, booking_id, who)
            row = await store.newest_document(session, booking_id, kind, "", PDF)
            if row is None:
                await self._expect_paper(session, booking, kind)
                return None
        found = await self._fetch(row)
        if found is None:
            await self._make_again(booking_id, [kind])
        return found

    async def boarding_pass(
        self, booking_id: UUID, passenger_id: UUID, flight_id: UUID, who: Principal, *, png: bool
    ) -> Download | None:
        """The pass of a passenger who is checked in now. Raises NotCheckedIn, or DocumentNotFound for unknown ids."""
        media_type = PNG if png else PDF
        async with self._db.transaction() as session:
            booking = await load_owned(session, booking_id, who)
            if booking.passenger(passenger_id) is None or booking.segment(flight_id) is None:
                raise DocumentNotFound("The booking has no such passenger on such a flight.")
            found = find_checked_in(booking, passenger_id, flight_id)
            if found is None:
                raise NotCheckedIn("Check this passenger in first; check-in opens 48 hours before departure.")
            subject = pass_subject(passenger_id, flight_id, found[2].sequence)
            row = await store.newest_document(session, booking_id, DocumentKind.BOARDING_PASS, subject, media_type)
            if row is None:
                await store.hurry(session, booking_id, now=self._clock.now())
                if not await store.live_jobs(session, booking_id):
                    pairs = [(passenger_id, flight_id)]
                    await request_boarding_passes(session, booking_id, pairs, now=self._clock.now())
                return None
        return await self._fetch(row)

    async def calendar(self, booking_id: UUID, who: Principal) -> Download:
        """The flights as iCalendar, made now. Raises NoDocumentYet before the booking is confirmed."""
        async with self._db.transaction() as session:
            booking = await load_owned(session, booking_id, who)
        if booking.confirmed_at is None:
            raise NoDocumentYet("Pay for the booking first; then it has a calendar file.")
        data = calendar_file(
            booking, link=booking_link(self._parts, booking), now=self._clock.now(), airport_name=airport_name
        )
        return Download(f"{booking.reference}.ics", "text/calendar; charset=utf-8", data)

    async def _fetch(self, row: RowMapping) -> Download | None:
        try:
            data = await self._parts.storage.get(row["storage_key"])
        except ObjectMissing:
            return None
        return Download(row["name"], row["media_type"], data, row["sha256"])

    async def _expect_paper(self, session: AsyncSession, booking: BookingView, kind: DocumentKind) -> None:
        """Make sure that what is missing is being made; NoDocumentYet when it cannot be."""
        if booking.status not in _TICKETED:
            raise NoDocumentYet("Pay for the booking first; its documents are made as soon as it is confirmed.")
        await store.hurry(session, booking.id, now=self._clock.now())
        if not await store.live_jobs(session, booking.id):
            await request_documents(session, booking.id, [kind], now=self._clock.now(), cause="changed")

    async def _make_again(self, booking_id: UUID, kinds: list[DocumentKind]) -> None:
        """The store lost the file: its row stays, a new version is ordered."""
        async with self._db.transaction() as session:
            if not await store.live_jobs(session, booking_id):
                await request_documents(session, booking_id, kinds, now=self._clock.now(), cause="changed")
