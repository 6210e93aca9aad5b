"""Fares, rules, rates and sales: what admins do."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime, Field
from sqlalchemy import select

from flight_service.bootstrap import Container
from flight_service.catalogue.layout import Cabin
from flight_service.cursors import after_id
from flight_service.fares.cabin_fares import show_fares
from flight_service.fares.default_rules import DEFAULT_RATES, DEFAULT_RULES
from flight_service.fares.keep_fares import end_flash_sale, set_rates, set_rules, set_schedule_fares, start_flash_sale
from flight_service.fares.tables import currency_rates, fare_rule_set, flash_sale
from flight_service.problems import problems
from flight_service.schedules.admin_schemas import Fares
from flight_service.schedules.tables import schedule
from rihla.auth import Principal, require_roles
from rihla.web import MoneyModel, Page, PageParams, RequestModel, Schema, container, encode_cursor, problem_responses
from rihla.web.idempotency import IdempotentRequest, Replay, idempotent_request, replay_response

router = APIRouter(prefix="/v1/admin", tags=["fares: administration"])
Parts = Annotated[Container, Depends(container)]
Admin = Annotated[Principal, Depends(require_roles("admin"))]


class FareView(Schema):
    """Published fares of a schedule, US dollars."""

    schedule_id: UUID
    flight_number: str
    origin: str
    destination: str
    fares: dict[Cabin, MoneyModel]


class FareBody(RequestModel):
    fares: Fares


class FareEffect(Schema):
    schedule_id: UUID
    flights: int = Field(description="Future flights that have the new fares; offers made for them before are refused")


class RulesBody(RequestModel):
    """A whole rule set; get the present one and change it."""

    rules: dict[str, Any]
    note: str = Field("", max_length=300)


class RulesView(Schema):
    version: int
    rules: dict[str, Any]
    note: str
    created_at: datetime | None


class RatesBody(RequestModel):
    """Units for one US dollar, as decimal strings with six decimals at most."""

    rates: dict[str, str] = Field(examples=[{"EUR": "0.92", "BDT": "119.5"}], max_length=200)


class RatesView(Schema):
    version: int
    rates: dict[str, str]
    created_at: datetime | None


class SaleBody(RequestModel):
    """A price limited by time and stock. The stock is counted when seats are held."""

    flight_id: UUID
    cabin: Cabin
    percent_off: int = Field(ge=1, le=90)
    stock: int = Field(ge=1, le=1000)
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class SaleView(Schema):
    id: UUID
    flight_id: UUID
    cabin: Cabin
    percent_off: int
    stock: int
    stock_left: int
    starts_at: datetime
    ends_at: datetime


def _refused(*codes: str) -> dict[int | str, dict[str, Any]]:
    return problem_responses("unauthenticated", "forbidden", "validation-failed", *codes, table=problems)


@router.get("/fares", summary="Published fares by schedule", responses=_refused("invalid-cursor"))
async def list_fares(
    parts: Parts,
    admin: Admin,
    paging: PageParams,
    airline: Annotated[str | None, Query(pattern=r"^[A-Z0-9]{2}$")] = None,
    origin: Annotated[str | None, Query(pattern=r"^[A-Z]{3}$")] = None,
    destination: Annotated[str | None, Query(pattern=r"^[A-Z]{3}$")] = None,
) -> Page[FareView]:
    """By schedule id, each filter optional."""
    wanted = (
        select(schedule)
        .where(schedule.c.active)
        .where(schedule.c.id > after_id(paging.cursor))
        .order_by(schedule.c.id)
        .limit(paging.limit + 1)
    )
    for name, value in {"airline": airline, "origin": origin, "destination": destination}.items():
        if value is not None:
            wanted = wanted.where(schedule.c[name] == value)
    async with parts.db.transaction() as session:
        rows = (await session.execute(wanted)).mappings().all()
    items = [
        FareView(
            schedule_id=row["id"],
            flight_number=row["flight_number"],
            origin=row["origin"],
            destination=row["destination"],
            fares={cabin: MoneyModel(**money) for cabin, money in show_fares(row["base_fares"]).items()},
        )
        for row in rows[: paging.limit]
    ]
    more = len(rows) > paging.limit
    return Page[FareView](items=items, next_cursor=encode_cursor({"id": str(items[-1].schedule_id)}) if more else None)


@router.put("/fares/{schedule_id}", summary="Set fares of a schedule", responses=_refused("not-found", "fare-invalid"))
async def put_fares(schedule_id: UUID, body: FareBody, parts: Parts, admin: Admin) -> FareEffect:
    """Cabins not named keep their fare; 0 takes a cabin off sale. Offers made before are refused from now on."""
    count = await set_schedule_fares(parts.db, schedule_id, body.fares, actor=admin.user_id, now=parts.clock.now())
    return FareEffect(schedule_id=schedule_id, flights=count)


@router.get("/fare-rules", summary="The fare rules of now", responses=_refused())
async def get_fare_rules(parts: Parts, admin: Admin) -> RulesView:
    """Brands, passenger types, demand steps, discounts, taxes, seat prices and extras."""
    async with parts.db.transaction() as session:
        newest = select(fare_rule_set).order_by(fare_rule_set.c.version.desc()).limit(1)
        row = (await session.execute(newest)).mappings().first()
    if row is None:
        return RulesView(version=0, rules=DEFAULT_RULES, note="The default rules.", created_at=None)
    return RulesView(version=row["version"], rules=row["document"], note=row["note"], created_at=row["created_at"])


@router.put("/fare-rules", summary="Set new fare rules", responses=_refused("fare-rules-invalid"))
async def put_fare_rules(body: RulesBody, parts: Parts, admin: Admin) -> RulesView:
    """A new version for all fares. Offers made before are refused from now on."""
    now = parts.clock.now()
    version = await set_rules(parts.db, body.rules, body.note, actor=admin.user_id, now=now)
    return RulesView(version=version, rules=body.rules, note=body.note, created_at=now)


@router.get("/currency-rates", summary="The currency rates of now", responses=_refused())
async def get_currency_rates(parts: Parts, admin: Admin) -> RatesView:
    """Units for one US dollar."""
    async with parts.db.transaction() as session:
        newest = select(currency_rates).order_by(currency_rates.c.version.desc()).limit(1)
        row = (await session.execute(newest)).mappings().first()
    if row is None:
        return RatesView(version=0, rates=DEFAULT_RATES, created_at=None)
    return RatesView(version=row["version"], rates=row["rates"], created_at=row["created_at"])


@router.put("/currency-rates", summary="Load currency rates", responses=_refused("rates-invalid"))
async def put_currency_rates(body: RatesBody, parts: Parts, admin: Admin) -> RatesView:
    """Replaces the table. Offers made before keep their price."""
    now = parts.clock.now()
    version = await set_rates(parts.db, body.rates, actor=admin.user_id, now=now)
    return RatesView(version=version, rates=body.rates, created_at=now)


@router.get("/flash-sales", summary="Flash sales", responses=_refused())
async def list_flash_sales(parts: Parts, admin: Admin) -> Page[SaleView]:
    """The newest hundred, with what is left."""
    async with parts.db.transaction() as session:
        newest = select(flash_sale).order_by(flash_sale.c.no.desc()).limit(100)
        rows = (await session.execute(newest)).mappings().all()
    return Page[SaleView](items=[SaleView.model_validate(dict(row)) for row in rows])


@router.post(
    "/flash-sales",
    status_code=201,
    summary="Start a flash sale",
    response_model=SaleView,
    responses=_refused("flight-not-found", "idempotency-key-reused", "request-in-progress"),
)
async def create_flash_sale(
    body: SaleBody,
    parts: Parts,
    admin: Admin,
    repeat: Annotated[IdempotentRequest, Depends(idempotent_request(required=False))],
) -> Response:
    """The discount shows in offers while it runs and stock is left. A repeat under one key starts no second sale."""
    made = await start_flash_sale(
        parts.db,
        **body.model_dump(),
        actor=admin.user_id,
        now=parts.clock.now(),
        repeat=repeat,
        answer=lambda row: SaleView.model_validate(row).model_dump_json().encode(),
    )
    if isinstance(made, Replay):
        return replay_response(made)
    return Response(made, 201, media_type="application/json")


@router.delete("/flash-sales/{sale_id}", status_code=204, summary="End a flash sale", responses=_refused("not-found"))
async def delete_flash_sale(sale_id: UUID, parts: Parts, admin: Admin) -> None:
    """Offers made at its price are refused from now on."""
    await end_flash_sale(parts.db, sale_id, actor=admin.user_id, now=parts.clock.now())
