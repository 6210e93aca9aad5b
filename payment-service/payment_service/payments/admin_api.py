"""Routes of payments for operations."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from payment_service.bootstrap import Container
from payment_service.payments import store
from payment_service.payments.errors import PaymentNotFound
from payment_service.payments.read_payments import cursor_id
from payment_service.payments.schemas import AdminPaymentOut
from payment_service.payments.settlement import settlement_csv
from payment_service.payments.views import admin_payment_out
from payment_service.problems import PROBLEMS
from rihla.auth import require_roles
from rihla.web import Page, PageParams, container, encode_cursor, problem_responses

C = Annotated[Container, Depends(container)]
router = APIRouter(
    prefix="/v1/admin/payments",
    tags=["admin: payments"],
    dependencies=[Depends(require_roles("admin", "support"))],
)


@router.get(
    "",
    operation_id="admin_search_payments",
    summary="Search payments, newest first",
    responses=problem_responses("forbidden", "unauthenticated", "invalid-cursor", table=PROBLEMS),
)
async def search_payments(
    page: PageParams,
    c: C,
    user_id: UUID | None = None,
    booking_id: UUID | None = None,
    booking_reference: Annotated[str | None, Query(max_length=6)] = None,
    status: Literal["requires_action", "processing", "succeeded", "failed"] | None = None,
    failure_code: Annotated[str | None, Query(max_length=60)] = None,
    purpose: Literal["charge", "top_up", "subscription"] | None = None,
    created_from: datetime | None = None,
    created_until: datetime | None = None,
) -> Page[AdminPaymentOut]:
    filters = {
        "user_id": user_id,
        "booking_id": booking_id,
        "booking_reference": booking_reference,
        "status": status,
        "failure_code": failure_code,
        "purpose": purpose,
    }
    async with c.db.transaction() as session:
        found = await store.search(
            session,
            filters=filters,
            created_from=created_from,
            created_until=created_until,
            before=cursor_id(page.cursor),
            limit=page.limit + 1,
        )
        items = [admin_payment_out(item, await store.parts_of(session, item.id)) for item in found[: page.limit]]
    following = encode_cursor({"before": str(items[-1].id)}) if len(found) > page.limit else None
    return Page(items=items, next_cursor=following)


@router.get(
    "/settlement-report",
    operation_id="admin_settlement_report",
    summary="What a provider collected and paid back on one day (UTC), as CSV",
    response_class=Response,
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "The report"},
        **problem_responses("forbidden", "validation-failed", table=PROBLEMS),
    },
)
async def settlement_report(c: C, provider: Literal["sandbox", "stripe", "paymob"], date: date) -> Response:
    report = await settlement_csv(c.db, provider, date)
    disposition = f'attachment; filename="settlement-{provider}-{date}.csv"'
    return Response(report, media_type="text/csv", headers={"Content-Disposition": disposition})


@router.get(
    "/{payment_id}",
    operation_id="admin_get_payment",
    summary="Read any payment",
    responses=problem_responses("payment-not-found", "forbidden", table=PROBLEMS),
)
async def get_payment(payment_id: UUID, c: C) -> AdminPaymentOut:
    async with c.db.transaction() as session:
        payment = await store.find(session, payment_id)
        if payment is None:
            raise PaymentNotFound("There is no such payment.")
        return admin_payment_out(payment, await store.parts_of(session, payment_id))
