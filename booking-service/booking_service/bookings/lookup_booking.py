"""Find a booking by what is printed on the ticket: reference and surname, limited against guessing.

Wrong guesses are counted for each caller and for each reference in a window; the count is in the database, so that
every
replica sees the same. Right answers cost nothing.
"""

import unicodedata
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings.errors import BookingNotFound, LookupLimited
from booking_service.bookings.read_booking import load_by_reference
from booking_service.bookings.states import PUBLIC_STATES
from booking_service.bookings.view import BookingView
from booking_service.bootstrap import Container
from rihla.auth import Principal

_COUNT = text(
    "SELECT coalesce(sum(failures), 0) FROM lookup_failure WHERE subject = :subject AND window_starts = :window"
)
_FAILED = text(
    "INSERT INTO lookup_failure AS f (subject, window_starts, failures) VALUES (:subject, :window, 1) "
    "ON CONFLICT (subject, window_starts) DO UPDATE SET failures = f.failures + 1"
)
_FORGET = text("DELETE FROM lookup_failure WHERE window_starts < :window")


async def lookup_booking(
    c: Container, principal: Principal, client_ip: str, reference: str, surname: str
) -> tuple[BookingView, bool]:
    """The booking, and whether the caller owns it (others see no contact or passport data).

    Raises BookingNotFound alike for a wrong reference and a wrong surname, and LookupLimited after too many of them.
    """
    now = c.clock.now()
    wanted = reference.strip().upper()
    caller = f"user:{principal.subject}" if principal.subject else f"ip:{client_ip}"
    limits = {
        caller: c.settings.lookup_failures,
        f"reference:{wanted}": c.settings.lookup_failures_per_reference,
    }
    window = _window(now, c.settings.lookup_window_minutes)
    async with c.db.transaction() as session:
        view = await load_by_reference(session, wanted)
        owner = view is not None and principal.subject is not None and view.user_id == principal.subject
        if not owner:
            await _refuse_too_many(session, limits, window, now, c.settings.lookup_window_minutes)
        fits = view is not None and view.state in PUBLIC_STATES and _fits(view, surname) and not view.test_mode
        if not fits:
            for subject in limits:
                await session.execute(_FAILED, {"subject": subject, "window": window})
            await session.execute(_FORGET, {"window": window})
    if view is None or not fits:
        raise BookingNotFound("No booking has this reference and surname.")
    return view, owner


async def _refuse_too_many(
    session: AsyncSession, limits: dict[str, int], window: datetime, now: datetime, minutes: int
) -> None:
    for subject, limit in limits.items():
        failures = (await session.execute(_COUNT, {"subject": subject, "window": window})).scalar_one()
        if failures >= limit:
            left = minutes * 60 - int((now - window).total_seconds())
            raise LookupLimited("Too many wrong tries; wait a little.", retry_after=max(1, left))


def _window(now: datetime, minutes: int) -> datetime:
    seconds = minutes * 60
    return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)


def folded(name: str) -> str:
    """A name for comparing: without case, accents, spaces and punctuation, so that O'Neill finds ONEILL."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(one for one in decomposed if one.isalnum() and not unicodedata.combining(one))


def _fits(view: BookingView, surname: str) -> bool:
    wanted = folded(surname)
    return bool(wanted) and any(folded(passenger.surname) == wanted for passenger in view.passengers)
