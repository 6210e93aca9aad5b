"""What may happen to a flight, and what follows from it. Pure.

scheduled <-> delayed -> boarding -> departed -> arrived
scheduled, delayed, boarding -> cancelled
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from rihla.kernel import DomainError

Happening = Literal["delayed", "gate_changed", "cancelled", "retimed", "departed"]
_NEXT = {
    "scheduled": {"delayed", "boarding", "departed", "cancelled"},
    "delayed": {"scheduled", "boarding", "departed", "cancelled"},
    "boarding": {"delayed", "departed", "cancelled"},
    "departed": {"arrived"},
    "arrived": set(),
    "cancelled": set(),
}


class OperationRefused(DomainError):
    """The flight's state does not allow this."""


@dataclass(frozen=True, slots=True)
class FlightState:
    """The part of a flight that operations move."""

    status: str
    departure_at: datetime
    arrival_at: datetime
    delay_minutes: int
    gate: str | None
    terminal: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """What is asked; None leaves as it is. An empty gate or terminal takes it away."""

    status: str | None = None
    delay_minutes: int | None = None
    gate: str | None = None
    terminal: str | None = None
    departure_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Operated:
    """The new state, what to tell people, and whether offers made before are touched."""

    state: FlightState
    happenings: tuple[Happening, ...]
    touches_offers: bool


def operate(state: FlightState, change: Change, now: datetime) -> Operated:
    """Apply a change. Raises OperationRefused."""
    after = _retimed(_at_gate(state, change), change, now)
    after = _with_status(after, change)
    happenings: list[Happening] = []
    if after.departure_at != state.departure_at:
        happenings.append("retimed")
    if after.delay_minutes != state.delay_minutes and after.status != "cancelled":
        happenings.append("delayed")
    if (after.gate, after.terminal) != (state.gate, state.terminal):
        happenings.append("gate_changed")
    if after.status != state.status and after.status in ("cancelled", "departed"):
        happenings.append("cancelled" if after.status == "cancelled" else "departed")
    touches = (after.status, after.departure_at, after.delay_minutes) != (
        state.status,
        state.departure_at,
        state.delay_minutes,
    )
    return Operated(after, tuple(happenings), touches)


def _at_gate(state: FlightState, change: Change) -> FlightState:
    gate = state.gate if change.gate is None else change.gate or None
    terminal = state.terminal if change.terminal is None else change.terminal or None
    return replace(state, gate=gate, terminal=terminal)


def _retimed(state: FlightState, change: Change, now: datetime) -> FlightState:
    if change.departure_at is None or change.departure_at == state.departure_at:
        return state
    if state.status not in ("scheduled", "delayed"):
        raise OperationRefused(
            f"A flight that is {state.status} cannot be moved to another time.", flight_status=state.status
        )
    if change.departure_at <= now:
        raise OperationRefused("The new departure must lie in the future.")
    moved = change.departure_at - state.departure_at
    return replace(state, departure_at=change.departure_at, arrival_at=state.arrival_at + moved)


def _with_status(state: FlightState, change: Change) -> FlightState:
    delay = state.delay_minutes if change.delay_minutes is None else change.delay_minutes
    wanted = change.status
    if wanted is None and change.delay_minutes is not None and state.status in ("scheduled", "delayed"):
        wanted = "delayed" if delay else "scheduled"
    if wanted == "scheduled":
        delay = 0
    if wanted == "delayed" and not delay:
        raise OperationRefused("Say by how many minutes the flight is delayed.")
    if change.delay_minutes is not None and state.status in ("departed", "arrived", "cancelled"):
        raise OperationRefused(f"A flight that is {state.status} cannot be delayed.", flight_status=state.status)
    if wanted is not None and wanted != state.status and wanted not in _NEXT[state.status]:
        raise OperationRefused(f"A flight that is {state.status} cannot become {wanted}.", flight_status=state.status)
    return replace(state, status=wanted or state.status, delay_minutes=delay)
