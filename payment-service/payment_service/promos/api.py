"""Routes of promo codes: for travellers, for booking-service, for operations."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from fastapi.responses import Response

from payment_service.bootstrap import Container
from payment_service.payments.read_payments import cursor_id
from payment_service.problems import PROBLEMS
from payment_service.promos import manage_promos
from payment_service.promos.check_code import check_code
from payment_service.promos.schemas import (
    CheckPromo,
    ConsumePromoUse,
    PromoCheckOut,
    PromoCodeIn,
    PromoCodeOut,
    PromoTrip,
    PromoUseOut,
    PutPromoUse,
    SpecialOfferOut,
)
from payment_service.promos.use_promo import check_promo, consume_promo, release_promo, reserve_promo
from rihla.auth import CurrentPrincipal, require_roles, require_service
from rihla.web import Page, PageParams, container, encode_cursor, problem_responses

C = Annotated[Container, Depends(container)]
router = APIRouter(tags=["promo codes"])
internal = APIRouter(prefix="/internal/v1", tags=["internal"], dependencies=[Depends(require_service("booking"))])
admin = APIRouter(
    prefix="/v1/admin/promo-codes", tags=["admin: promo codes"], dependencies=[Depends(require_roles("admin"))]
)
_REFUSALS = ("promo-code-not-found", "promo-code-not-applicable", "promo-code-used-up", "validation-failed")


@router.post(
    "/v1/promo-codes/{code}/check",
    operation_id="check_promo_code",
    summary="What a promo code would take off",
    responses=problem_responses(*_REFUSALS, table=PROBLEMS),
)
async def check(
    code: Annotated[str, Path(min_length=1, max_length=40)], body: CheckPromo, principal: CurrentPrincipal, c: C
) -> PromoCheckOut:
    return await check_code(c.db, c.clock, code, body, principal.subject)


@router.get("/v1/special-offers", operation_id="list_special_offers", summary="Offers that can be used now")
async def special_offers(principal: CurrentPrincipal, c: C) -> Page[SpecialOfferOut]:
    return Page(items=await manage_promos.special_offers(c.db, c.clock))


@internal.put(
    "/promo-uses/{booking_id}",
    operation_id="reserve_promo_use",
    summary="Reserve a use for a booking",
    responses=problem_responses(*_REFUSALS, table=PROBLEMS),
)
async def put_use(booking_id: UUID, body: PutPromoUse, c: C) -> PromoUseOut:
    return await reserve_promo(c.db, c.clock, booking_id, body)


@internal.post(
    "/promo-checks",
    operation_id="check_promo_use",
    summary="The discount for a booking, without reserving",
    responses=problem_responses(*_REFUSALS, table=PROBLEMS),
)
async def check_use(body: PromoTrip, c: C) -> PromoUseOut:
    return await check_promo(c.db, c.clock, body)


@internal.post("/promo-uses/{booking_id}/release", operation_id="release_promo_use", summary="Give a use back")
async def release_use(booking_id: UUID, c: C) -> PromoUseOut:
    return await release_promo(c.db, c.clock, booking_id)


@internal.post(
    "/promo-uses/{booking_id}/consume",
    operation_id="consume_promo_use",
    summary="Make a use final",
    responses=problem_responses("validation-failed", table=PROBLEMS),
)
async def consume_use(booking_id: UUID, c: C, body: ConsumePromoUse | None = None) -> PromoUseOut:
    return await consume_promo(c.db, c.clock, booking_id, body or ConsumePromoUse())


@admin.post(
    "",
    status_code=201,
    operation_id="create_promo_code",
    summary="Define a promo code",
    responses=problem_responses("promo-code-exists", "validation-failed", "forbidden", table=PROBLEMS),
)
async def create(body: PromoCodeIn, c: C) -> PromoCodeOut:
    return await manage_promos.create_promo(c.db, c.clock, body)


@admin.get("", operation_id="list_promo_codes", summary="Promo codes, newest first")
async def list_codes(page: PageParams, c: C) -> Page[PromoCodeOut]:
    found = await manage_promos.list_promos(c.db, before=cursor_id(page.cursor), limit=page.limit + 1)
    items = found[: page.limit]
    return Page(
        items=items, next_cursor=encode_cursor({"before": str(items[-1].id)}) if len(found) > page.limit else None
    )


@admin.get(
    "/{promo_id}",
    operation_id="get_promo_code",
    summary="Read a promo code",
    responses=problem_responses("promo-code-not-found", table=PROBLEMS),
)
async def get_code(promo_id: UUID, c: C) -> PromoCodeOut:
    return await manage_promos.read_promo(c.db, promo_id)


@admin.put(
    "/{promo_id}",
    operation_id="replace_promo_code",
    summary="Define a promo code anew",
    responses=problem_responses("promo-code-not-found", "promo-code-exists", "validation-failed", table=PROBLEMS),
)
async def replace(promo_id: UUID, body: PromoCodeIn, c: C) -> PromoCodeOut:
    return await manage_promos.replace_promo(c.db, c.clock, promo_id, body)


@admin.delete(
    "/{promo_id}",
    status_code=204,
    operation_id="retire_promo_code",
    summary="Retire a promo code",
    responses=problem_responses("promo-code-not-found", table=PROBLEMS),
)
async def retire(promo_id: UUID, c: C) -> Response:
    await manage_promos.retire_promo(c.db, c.clock, promo_id)
    return Response(status_code=204)
