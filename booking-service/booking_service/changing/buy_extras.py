"""Bags, meals, assistance and seats after purchase: a further charge, and what was bought once it is paid."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings import facts
from booking_service.bookings.errors import PassengerNotFound
from booking_service.bookings.hold import HeldLine, HoldQuote
from booking_service.bookings.read_booking import load_owned, lock_owned
from booking_service.bookings.states import TRAVELLING, MoveNotAllowed
from booking_service.bookings.store import add_timeline, bump_version, publish
from booking_service.bookings.view import BookingView
from booking_service.bookings.wire import booking_json
from booking_service.bootstrap import Container
from booking_service.changing.store import add_charge
from booking_service.placing.order import BAG_CODE, ChosenExtra, ChosenSeat
from booking_service.problems import PROBLEMS
from rihla.auth import Principal
from rihla.db.idempotency import Replay
from rihla.kernel import DomainError, new_id
from rihla.web.idempotency import IdempotentRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtrasWish:
    """What one passenger wants more of."""

    passenger_id: UUID
    extra_bags: int = 0
    extras: tuple[ChosenExtra, ...] = ()
    seats: tuple[ChosenSeat, ...] = ()
    ssr: tuple[str, ...] = ()

    @property
    def costs(self) -> bool:
        """Whether flight-service has to price it; assistance is free."""
        return bool(self.extra_bags or self.extras or self.seats)

    def line(self) -> dict[str, Any]:
        """As flight-service prices it."""
        extras: list[dict[str, Any]] = [
            {"code": one.code, "flight_id": one.flight_id, "quantity": one.quantity} for one in self.extras
        ]
        if self.extra_bags:
            extras.append({"code": BAG_CODE, "flight_id": None, "quantity": self.extra_bags})
        seats = [{"flight_id": one.flight_id, "designator": one.designator} for one in self.seats]
        return {"passenger_id": self.passenger_id, "extras": extras, "seats": seats}


async def buy_extras(
    c: Container, principal: Principal, booking_id: UUID, wishes: tuple[ExtrasWish, ...], idem: IdempotentRequest
) -> bytes | Replay:
    """The booking as JSON, with a further charge when something is to be paid.

    Raises BookingNotFound, PassengerNotFound, MoveNotAllowed, ExtrasNotOffered, what flight-service refuses, and
    UpstreamUnavailable.
    """
    now = c.clock.now()
    async with c.db.transaction() as session:
        view = await load_owned(session, booking_id, principal)
    _check(view, wishes)
    quotes = [await c.flights.extras_quote(hold, lines) for hold, lines in _by_hold(view, wishes).items()]
    try:
        async with c.db.transaction() as session:
            began = await idem.begin(session, resource_id=new_id(), now=now)
            if isinstance(began, Replay):
                return began
            view = await lock_owned(session, booking_id, principal)
            _check(view, wishes)
            body = await _store(session, c, view, wishes, quotes, began.resource_id, now=now)
            await idem.finish(session, status=201, body=body)
            return body
    except DomainError as refusal:
        await idem.finish_with_error(c.db, refusal, PROBLEMS)
        raise


def _check(view: BookingView, wishes: tuple[ExtrasWish, ...]) -> None:
    if view.state not in TRAVELLING:
        raise MoveNotAllowed(f"Nothing is added to a booking that is {view.status}.", state=view.status)
    if {wish.passenger_id for wish in wishes} - {one.id for one in view.passengers}:
        raise PassengerNotFound("This booking has no such passenger.")


def _by_hold(view: BookingView, wishes: tuple[ExtrasWish, ...]) -> dict[UUID, list[dict[str, Any]]]:
    """Lines for each hold. What names no flight is for every segment of each hold."""
    hold_of = {segment.flight_id: one.hold_id for one in view.slices for segment in one.segments}
    grouped: dict[UUID, list[dict[str, Any]]] = {}
    for wish in (wish for wish in wishes if wish.costs):
        line = wish.line()
        for hold_id in dict.fromkeys(hold_of.values()):
            part = {
                **line,
                "extras": [one for one in line["extras"] if hold_of.get(one["flight_id"], hold_id) == hold_id],
                "seats": [one for one in line["seats"] if hold_of.get(one["flight_id"]) == hold_id],
            }
            if part["extras"] or part["seats"]:
                grouped.setdefault(hold_id, []).append(part)
    return grouped


async def _store(
    session: AsyncSession,
    c: Container,
    view: BookingView,
    wishes: tuple[ExtrasWish, ...],
    quotes: list[HoldQuote],
    change_id: UUID,
    *,
    now: datetime,
) -> bytes:
    lines = [line for quote in quotes for line in quote.price_lines]
    total = sum(line.amount_minor for line in lines)
    ssr = [(wish.passenger_id, wish.ssr) for wish in wishes if wish.ssr]
    for passenger_id, codes in ssr:
        await session.execute(_ADD_SSR, {"id": passenger_id, "codes": list(codes)})
    if total > 0:
        await _charge(session, c, view, wishes, lines, total, change_id, now=now)
    await bump_version(session, view.id)
    await add_timeline(session, view.id, "extras_asked_for", actor="traveller", now=now, total_minor=total)
    after = await publish(session, view.id, lambda seen: facts.changed(seen, now=now, kind="extras"), now=now)
    return booking_json(after, now)


_ADD_SSR = text(
    "UPDATE passenger SET ssr = ARRAY(SELECT DISTINCT unnest(ssr || CAST(:codes AS varchar[])) ORDER BY 1) "
    "WHERE id = :id"
)
_ADD_CHANGE = text(
    "INSERT INTO booking_change (id, booking_id, kind, charge_id, state, lines, payable_until, created_at) "
    "VALUES (:id, :booking_id, 'extras', :charge_id, 'awaiting_payment', CAST(:lines AS jsonb), :until, :now)"
)


async def _charge(
    session: AsyncSession,
    c: Container,
    view: BookingView,
    wishes: tuple[ExtrasWish, ...],
    lines: list[HeldLine],
    total: int,
    change_id: UUID,
    *,
    now: datetime,
) -> None:
    charge_id, until = new_id(), now + c.settings.payment_window
    common = {"booking_id": view.id, "now": now, "until": until}
    await add_charge(session, charge_id, view, "extras", total, until=until, now=now)
    bought = {
        "lines": msgspec.to_builtins(lines),
        "bags": {str(wish.passenger_id): wish.extra_bags for wish in wishes if wish.extra_bags},
        "seats": [[str(w.passenger_id), str(one.flight_id), one.designator] for w in wishes for one in w.seats],
    }
    await session.execute(_ADD_CHANGE, {**common, "id": change_id, "charge_id": charge_id, "lines": json.dumps(bought)})
