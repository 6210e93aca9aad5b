"""Schedules and flights: what admins do."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy import select

from flight_service.bootstrap import Container
from flight_service.catalogue.audit import read_audit
from flight_service.cursors import after_id
from flight_service.errors import NotFound
from flight_service.fares.cabin_fares import show_fares
from flight_service.problems import problems
from flight_service.schedules.admin_schemas import (
    AirplaneBody,
    AirplaneView,
    AuditList,
    AuditView,
    FlightBody,
    FlightPatch,
    ScheduleBody,
    ScheduleEffect,
    ScheduleView,
)
from flight_service.schedules.assign_airplane import assign_airplane, read_airplane, take_airplane_off
from flight_service.schedules.calendar import day_mask, day_names
from flight_service.schedules.change_flight import FlightChange
from flight_service.schedules.change_flight import change_flight as change_one_flight
from flight_service.schedules.keep_schedules import ScheduleData, end_schedule
from flight_service.schedules.keep_schedules import change_schedule as change_one_schedule
from flight_service.schedules.keep_schedules import create_schedule as create_one_schedule
from flight_service.schedules.operations import Change
from flight_service.schedules.own_flight import FlightData, add_flight, remove_flight
from flight_service.schedules.read_flights import BoardQuery, read_board, read_flight
from flight_service.schedules.schemas import FlightDetail, FlightPage
from flight_service.schedules.tables import schedule
from flight_service.schedules.wire import json_response
from rihla.auth import Principal, require_roles
from rihla.web import Page, PageParams, container, encode_cursor, problem_responses
from rihla.web.idempotency import IdempotentRequest, Replay, idempotent_request, replay_response

router = APIRouter(prefix="/v1/admin", tags=["flights: administration"])
Parts = Annotated[Container, Depends(container)]
Admin = Annotated[Principal, Depends(require_roles("admin"))]
Repeat = Annotated[IdempotentRequest, Depends(idempotent_request(required=False))]
_REPEATED = ("idempotency-key-reused", "request-in-progress")
_COMMON = ("unauthenticated", "forbidden", "validation-failed")


def _refused(*codes: str) -> dict[int | str, dict[str, Any]]:
    return problem_responses(*_COMMON, *codes, table=problems)


@router.get("/schedules", summary="Schedules", responses=_refused("invalid-cursor"))
async def list_schedules(
    parts: Parts,
    admin: Admin,
    paging: PageParams,
    airline: Annotated[str | None, Query(pattern=r"^[A-Z0-9]{2}$")] = None,
    flight_number: Annotated[str | None, Query(pattern=r"^[A-Z0-9]{2}\d{1,4}$")] = None,
    origin: Annotated[str | None, Query(pattern=r"^[A-Z]{3}$")] = None,
    destination: Annotated[str | None, Query(pattern=r"^[A-Z]{3}$")] = None,
) -> Page[ScheduleView]:
    """By id, each filter optional."""
    wanted = (
        select(schedule).where(schedule.c.id > after_id(paging.cursor)).order_by(schedule.c.id).limit(paging.limit + 1)
    )
    asked = {"airline": airline, "flight_number": flight_number, "origin": origin, "destination": destination}
    for name, value in asked.items():
        if value is not None:
            wanted = wanted.where(schedule.c[name] == value)
    async with parts.db.transaction() as session:
        rows = (await session.execute(wanted)).mappings().all()
    items = [_schedule_view(row) for row in rows[: paging.limit]]
    more = len(rows) > paging.limit
    return Page[ScheduleView](items=items, next_cursor=encode_cursor({"id": str(items[-1].id)}) if more else None)


@router.get("/schedules/{schedule_id}", summary="One schedule", responses=_refused("not-found"))
async def get_schedule(schedule_id: UUID, parts: Parts, admin: Admin) -> ScheduleView:
    """As it stands now."""
    async with parts.db.transaction() as session:
        row = (await session.execute(select(schedule).where(schedule.c.id == schedule_id))).mappings().first()
    if row is None:
        raise NotFound("There is no such schedule.")
    return _schedule_view(row)


@router.post(
    "/schedules",
    status_code=201,
    summary="Create a schedule and its flights",
    response_model=ScheduleEffect,
    responses=_refused("already-exists", *_REPEATED),
)
async def create_schedule(body: ScheduleBody, parts: Parts, admin: Admin, repeat: Repeat) -> Response:
    """Its flights are on sale at once, as far ahead as the worker creates them. A repeat of a key makes no more."""
    made = await create_one_schedule(
        parts.db,
        _schedule_data(body),
        actor=admin.user_id,
        now=parts.clock.now(),
        days_ahead=parts.settings.generate_days_ahead,
        repeat=repeat,
        answer=lambda effect: ScheduleEffect.model_validate(effect).model_dump_json().encode(),
    )
    return _made(made)


@router.put(
    "/schedules/{schedule_id}",
    summary="Replace a schedule",
    responses=_refused("not-found", "already-exists", "flight-has-holds"),
)
async def replace_schedule(schedule_id: UUID, body: ScheduleBody, parts: Parts, admin: Admin) -> ScheduleEffect:
    """Unsold future flights follow at once; sold ones stay and are listed in the answer."""
    effect = await change_one_schedule(
        parts.db,
        schedule_id,
        _schedule_data(body),
        actor=admin.user_id,
        now=parts.clock.now(),
        days_ahead=parts.settings.generate_days_ahead,
    )
    return ScheduleEffect.model_validate(effect)


@router.delete("/schedules/{schedule_id}", summary="End a schedule", responses=_refused("not-found"))
async def delete_schedule(schedule_id: UUID, parts: Parts, admin: Admin) -> ScheduleEffect:
    """No new flights; unsold future ones go, sold ones stay and are listed in the answer."""
    effect = await end_schedule(parts.db, schedule_id, actor=admin.user_id, now=parts.clock.now())
    return ScheduleEffect.model_validate(effect)


@router.get("/flights", summary="Flights of a day", response_model=FlightPage, responses=_refused("invalid-cursor"))
async def list_admin_flights(
    parts: Parts,
    admin: Admin,
    paging: PageParams,
    date: date | None = None,
    flight_number: Annotated[str | None, Query(pattern=r"^[A-Z0-9]{2}\d{1,4}$")] = None,
    origin: Annotated[str | None, Query(pattern=r"^[A-Z]{3}$")] = None,
    test_airline: bool = False,
) -> Response:
    """As the departure board; `test_airline` shows the airline of test keys."""
    query = BoardQuery(
        day=date,
        shift=0,
        origins=[origin] if origin else None,
        destinations=None,
        airline=None,
        flight_number=flight_number,
        available=False,
        test_mode=test_airline,
        limit=paging.limit,
        cursor=paging.cursor,
    )
    board = await read_board(parts.db, query, parts.offers.pricer, parts.clock.now())
    return json_response({"items": board.items, "next_cursor": encode_cursor(board.after) if board.after else None})


@router.post(
    "/flights",
    status_code=201,
    summary="Add a flight without a schedule",
    response_model=FlightDetail,
    responses=_refused("already-exists", *_REPEATED),
)
async def create_flight(body: FlightBody, parts: Parts, admin: Admin, repeat: Repeat) -> Response:
    """On sale at once. A repeat under one key adds no second flight."""

    async def answer(flight_id: UUID) -> bytes:
        return bytes((await _flight(parts, flight_id)).body)

    data = FlightData(**body.model_dump())
    made = await add_flight(parts.db, data, actor=admin.user_id, now=parts.clock.now(), repeat=repeat, answer=answer)
    return _made(made)


@router.patch(
    "/flights/{flight_id}",
    summary="Delay, cancel, move a flight; set gate, terminal, fares",
    response_model=FlightDetail,
    responses=_refused("flight-not-found", "operation-refused", "fare-invalid", "airplane-busy"),
)
async def patch_flight(flight_id: UUID, body: FlightPatch, parts: Parts, admin: Admin) -> Response:
    """Each change that touches travellers is an event. A change of status, time or fare ends the offers made before."""
    asked = body.model_dump()
    change = FlightChange(
        Change(**{name: asked[name] for name in ("status", "delay_minutes", "gate", "terminal", "departure_at")}),
        asked["fares"],
        asked["reason"],
    )
    await change_one_flight(parts.db, flight_id, change, actor=admin.user_id, now=parts.clock.now())
    return await _flight(parts, flight_id)


@router.delete(
    "/flights/{flight_id}",
    status_code=204,
    summary="Take an unsold flight off",
    responses=_refused("flight-not-found", "in-use"),
)
async def delete_flight(flight_id: UUID, parts: Parts, admin: Admin) -> None:
    """A flight with held or sold seats is cancelled instead, so that its travellers are told."""
    await remove_flight(parts.db, flight_id, actor=admin.user_id, now=parts.clock.now())


@router.get("/flights/{flight_id}/airplane", summary="The airplane that flies it", responses=_refused("not-found"))
async def get_flight_airplane(flight_id: UUID, parts: Parts, admin: Admin) -> AirplaneView:
    """Which one, and how long it is taken."""
    return AirplaneView.model_validate(await read_airplane(parts.db, flight_id))


@router.put(
    "/flights/{flight_id}/airplane",
    summary="Put an airplane on a flight",
    responses=_refused("flight-not-found", "operation-refused", "airplane-busy"),
)
async def put_flight_airplane(flight_id: UUID, body: AirplaneBody, parts: Parts, admin: Admin) -> AirplaneView:
    """Of the flight's type, and on no other flight from departure to 45 minutes after arrival."""
    made = await assign_airplane(parts.db, flight_id, body.registration, actor=admin.user_id, now=parts.clock.now())
    return AirplaneView.model_validate(made)


@router.delete(
    "/flights/{flight_id}/airplane", status_code=204, summary="Take the airplane off", responses=_refused("not-found")
)
async def delete_flight_airplane(flight_id: UUID, parts: Parts, admin: Admin) -> None:
    """It is free for other flights."""
    await take_airplane_off(parts.db, flight_id, actor=admin.user_id, now=parts.clock.now())


@router.get("/audit/{resource}/{resource_id}", summary="Who changed what", responses=_refused())
async def list_audit(resource: str, resource_id: str, parts: Parts, admin: Admin) -> AuditList:
    """The newest hundred changes of a flight, schedule, airline, aircraft type, fare or rule set."""
    rows = await read_audit(parts.db, resource, resource_id)
    return AuditList(items=[AuditView.model_validate(row) for row in rows])


async def _flight(parts: Container, flight_id: UUID) -> Response:
    """The flight, whichever airline it belongs to."""
    found = await read_flight(parts.db, flight_id, parts.offers.pricer, parts.clock.now(), test_mode=None)
    return json_response(found)


def _made(answer: Replay | bytes) -> Response:
    """201, or what was answered the first time."""
    if isinstance(answer, Replay):
        return replay_response(answer)
    return Response(answer, 201, media_type="application/json")


def _schedule_data(body: ScheduleBody) -> ScheduleData:
    values = body.model_dump()
    return ScheduleData(**{**values, "days_of_week": day_mask(values["days_of_week"])})


def _schedule_view(row: Any) -> ScheduleView:
    values = {**row, "days_of_week": day_names(row["days_of_week"]), "fares": show_fares(row["base_fares"])}
    return ScheduleView.model_validate(values)
