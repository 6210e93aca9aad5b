"""Automatic seating: who sits where, given what is free. Pure and deterministic: the same input gives the same seats.

In this order of weight:

1. nobody under 12 and no adult with an infant on the lap sits in an exit row - never, even if that leaves no seat;
2. everybody under 12 sits beside an adult of the booking (the next seat of the row, no aisle between);
3. the party sits together: in few rows, next to each other;
4. seats that are sold at a price (extra legroom, exit, preferred rows) are given only when nothing else is left;
5. window, aisle or middle as each traveller likes.

What cannot be met is said in the notes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Literal
from uuid import UUID

from flight_service.catalogue.layout import CabinLayout, Seat

Preference = Literal["window", "aisle", "middle"]
_LOOKED_AT_CLOSELY = 16
_CHILD, _LIKED, _SPARED, _PRICED = 10_000, 10, 20, 300
_LINK, _ROW = 1_000, 400


@dataclass(frozen=True, slots=True)
class Traveller:
    """Somebody who takes a seat; `seat` is the one they chose or have already."""

    passenger_id: UUID
    seat: str | None = None
    preference: Preference | None = None
    under_12: bool = False
    with_infant: bool = False

    @property
    def barred_from_exits(self) -> bool:
        """Whether an exit row is forbidden to them."""
        return self.under_12 or self.with_infant


@dataclass(frozen=True, slots=True)
class SeatPlan:
    """Seats for those who had none, and what could not be met."""

    seats: Mapping[UUID, str]
    notes: tuple[str, ...]


def plan_seats(layout: CabinLayout, taken: Iterable[str], party: Sequence[Traveller], flight: str) -> SeatPlan:
    """Seat the members of one booking who have no seat yet. `taken` are all owned seats; `flight` is named in the
    notes.
    """
    waiting = sorted((t for t in party if t.seat is None), key=lambda t: t.passenger_id.int)
    if not waiting:
        return SeatPlan({}, ())
    cabin = _Cabin(layout, frozenset(taken))
    anchors = frozenset(t.seat for t in party if t.seat and not t.under_12)
    given = _best(cabin, waiting, anchors)
    return SeatPlan(given, tuple(_notes(cabin, party, given, flight)))


class _Cabin:
    """The free seats of a cabin, and which of them are side by side."""

    def __init__(self, layout: CabinLayout, taken: frozenset[str]) -> None:
        self.seats = layout.seats
        self.letters = layout.letters
        self.free = [seat for seat in layout.seats.values() if not seat.blocked and seat.designator not in taken]
        ordinary = len(layout.ordinary) - len(layout.ordinary & taken)
        # The last ordinary seats are kept for those who may not sit at an exit.
        self.spare_ordinary = ordinary <= 2 * (len(layout.at_exits) - len(layout.at_exits & taken))

    def beside(self, seat: Seat) -> tuple[str, ...]:
        """The neighbours of a seat without an aisle between."""
        at = self.letters.index(seat.letter)
        letters = (self.letters[i] for i in (at - 1, at + 1) if 0 <= i < len(self.letters))
        return tuple(f"{seat.row}{letter}" for letter in letters if letter != " ")

    def price(self, seat: Seat, needs_ordinary: bool) -> int:
        """How little we like to give this seat away."""
        if "exit_row" in seat.features and self.spare_ordinary and not needs_ordinary:
            return -_SPARED
        return _PRICED if seat.priced else 0


def _best(cabin: _Cabin, waiting: Sequence[Traveller], anchors: frozenset[str]) -> dict[UUID, str]:
    """The best of sitting all together and sitting in small families, each where there is room."""
    together = _together(cabin, waiting, anchors)
    children = [t for t in waiting if t.under_12]
    if len(together) == len(waiting) and _beside_adult(cabin, waiting, together, anchors) == len(children):
        return together
    apart = _apart(cabin, waiting, anchors)
    return max(
        (together, apart),
        key=lambda given: (len(given), _beside_adult(cabin, waiting, given, anchors), given is together),
    )


def _together(cabin: _Cabin, waiting: Sequence[Traveller], anchors: frozenset[str]) -> dict[UUID, str]:
    """The best block of seats for all, or nothing when there is no room."""
    if len(waiting) == 1 and not anchors:
        return _alone(cabin, waiting[0])
    barred = sum(t.barred_from_exits for t in waiting)
    blocks = sorted(
        (_roughly(cabin, block, anchors, barred), index, block)
        for index, block in enumerate(_blocks(cabin, len(waiting)))
        if sum("exit_row" not in seat.features for seat in block) >= barred
    )[: _LOOKED_AT_CLOSELY if len(waiting) > 1 else None]
    best: tuple[int, dict[UUID, str]] | None = None
    for rough, _, block in blocks:
        score, given = _seat_block(cabin, block, waiting, anchors)
        if given and (best is None or score - rough > best[0]):
            best = (score - rough, given)
    return best[1] if best else {}


def _alone(cabin: _Cabin, traveller: Traveller) -> dict[UUID, str]:
    """A seat for somebody who travels alone: the first of the cheapest to give away that is liked, else the first of
    those.
    """
    barred = traveller.barred_from_exits
    best: tuple[int, str] | None = None
    for seat in cabin.free:
        if barred and "exit_row" in seat.features:
            continue
        cost = cabin.price(seat, barred) + (_LIKED if traveller.preference not in (None, seat.position) else 0)
        if best is None or cost < best[0]:
            best = (cost, seat.designator)
            if cost == (-_SPARED if cabin.spare_ordinary and not barred else 0):
                break
    return {traveller.passenger_id: best[1]} if best else {}


def _blocks(cabin: _Cabin, size: int) -> Iterator[list[Seat]]:
    """Sets of `size` free seats: runs in reading order, and the same columns of two rows, one behind the other."""
    for start in range(len(cabin.free) - size + 1):
        yield cabin.free[start : start + size]
    if size < 4:
        return
    rows: dict[int, list[Seat]] = {}
    for seat in cabin.free:
        rows.setdefault(seat.row, []).append(seat)
    numbers = sorted(rows)
    half = (size + 1) // 2
    for front, back in pairwise(numbers):
        for start in range(len(rows[front]) - half + 1):
            first = rows[front][start : start + half]
            letters = {seat.letter for seat in first}
            second = [seat for seat in rows[back] if seat.letter in letters][: size - half]
            if len(second) == size - half:
                yield first + second


def _roughly(cabin: _Cabin, block: Sequence[Seat], anchors: frozenset[str], barred: int) -> int:
    """What is wrong with a block before anybody is put on it; less is better. The distance to those already seated
    counts.
    """
    names = {seat.designator for seat in block} | anchors
    links = sum(neighbour in names for seat in block for neighbour in cabin.beside(seat))
    rows = sorted({seat.row for seat in block} | {cabin.seats[a].row for a in anchors if a in cabin.seats})
    priced = sum(cabin.price(seat, barred > 0) for seat in block)
    return _ROW * (len(rows) - 1) + 20 * (rows[-1] - rows[0]) - _LINK * links // 2 + priced


def _seat_block(
    cabin: _Cabin, block: Sequence[Seat], waiting: Sequence[Traveller], anchors: frozenset[str]
) -> tuple[int, dict[UUID, str]]:
    """Put everybody on a block: the best arrangement of kinds of travellers, found seat by seat from left to right."""
    kinds = sorted({_kind(t) for t in waiting})
    counts = tuple(sum(_kind(t) == kind for t in waiting) for kind in kinds)
    near_adult = [any(n in anchors for n in cabin.beside(seat)) for seat in block]
    linked = [i > 0 and block[i - 1].designator in cabin.beside(seat) for i, seat in enumerate(block)]

    @cache
    def rest(at: int, left: tuple[int, ...], neighbour: str) -> tuple[int, tuple[int, ...]]:
        """Best score and kinds from seat `at` on. `neighbour`: adult, child (alone so far), or nobody of note."""
        if at == len(block):
            return 0, ()
        best: tuple[int, tuple[int, ...]] = (-(10**9), ())
        beside = neighbour if linked[at] else ""
        for k, (barred, under_12, liked) in enumerate(kinds):
            if not left[k] or (barred and "exit_row" in block[at].features):
                continue
            score = _LIKED if block[at].position == liked else 0
            if under_12:
                near = near_adult[at] or beside == "adult"
                score += _CHILD if near else 0
                then = "" if near else "child"
            else:
                score += _CHILD if beside == "child" else 0
                then = "adult"
            tail = rest(at + 1, (*left[:k], left[k] - 1, *left[k + 1 :]), then)
            if tail[0] + score > best[0]:
                best = (tail[0] + score, (k, *tail[1]))
        return best

    score, order = rest(0, counts, "")
    if len(order) < len(block):
        return score, {}
    queues = {k: [t for t in waiting if _kind(t) == kind] for k, kind in enumerate(kinds)}
    return score, {queues[k].pop(0).passenger_id: seat.designator for k, seat in zip(order, block, strict=True)}


def _kind(traveller: Traveller) -> tuple[bool, bool, str]:
    return traveller.barred_from_exits, traveller.under_12, traveller.preference or ""


def _apart(cabin: _Cabin, waiting: Sequence[Traveller], anchors: frozenset[str]) -> dict[UUID, str]:
    """Families of one adult and the children that fall to them, the larger ones first; then everybody alone."""
    adults = [t for t in waiting if not t.under_12]
    children = [t for t in waiting if t.under_12]
    # With an infant on the lap first: they need an ordinary seat as the children do.
    adults.sort(key=lambda t: (not t.with_infant, t.passenger_id.int))
    families: list[list[Traveller]] = [[adult] for adult in adults] or [[]]
    for number, child in enumerate(children):
        families[number % len(families)].append(child)
    given: dict[UUID, str] = {}
    for family in sorted(families, key=len, reverse=True):
        _give(cabin, family, anchors, given)
    return given


def _give(cabin: _Cabin, family: Sequence[Traveller], anchors: frozenset[str], given: dict[UUID, str]) -> None:
    got = _together(cabin, family, anchors)
    if not got and len(family) > 1:
        for member in family:
            _give(cabin, [member], anchors, given)
        return
    given |= got
    used = set(got.values())
    cabin.free = [seat for seat in cabin.free if seat.designator not in used]


def _beside_adult(
    cabin: _Cabin, waiting: Sequence[Traveller], given: Mapping[UUID, str], anchors: frozenset[str]
) -> int:
    """How many of the children who wait for a seat would sit beside an adult."""
    adults = anchors | {given[t.passenger_id] for t in waiting if not t.under_12 and t.passenger_id in given}
    return sum(
        any(n in adults for n in cabin.beside(cabin.seats[given[t.passenger_id]]))
        for t in waiting
        if t.under_12 and t.passenger_id in given
    )


def _notes(cabin: _Cabin, party: Sequence[Traveller], given: Mapping[UUID, str], flight: str) -> Iterator[str]:
    waiting = [t for t in party if t.seat is None]
    missing = len(waiting) - len(given)
    if missing:
        who = "One traveller" if missing == 1 else f"{missing} travellers"
        yield f"{flight}: {who} could not be given a suitable seat yet; the airline gives one at check-in."
    anchors = frozenset(t.seat for t in party if t.seat and not t.under_12)
    alone = sum(t.under_12 and t.passenger_id in given for t in waiting) - _beside_adult(cabin, waiting, given, anchors)
    if alone:
        who = "A child" if alone == 1 else f"{alone} children"
        yield f"{flight}: {who} could not be seated beside an adult of the booking."
    elif len(party) > 1 and not _in_touch(cabin, [*given.values(), *(t.seat for t in party if t.seat)]):
        yield f"{flight}: the party could not be seated together."
    for liked in ("window", "aisle", "middle"):
        short = sum(
            t.preference == liked and t.passenger_id in given and cabin.seats[given[t.passenger_id]].position != liked
            for t in waiting
        )
        if short:
            who = "one traveller" if short == 1 else f"{short} travellers"
            yield f"{flight}: no {liked} seat could be given to {who}."


def _in_touch(cabin: _Cabin, seats: Sequence[str]) -> bool:
    """Whether the rows of these seats follow one another without a gap."""
    order = sorted({cabin.seats[seat].row for seat in cabin.seats if seat in cabin.seats})
    rows = sorted({order.index(cabin.seats[seat].row) for seat in seats if seat in cabin.seats})
    return all(after - before <= 1 for before, after in pairwise(rows))
