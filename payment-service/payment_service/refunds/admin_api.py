"""Routes of refunds for operations."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from payment_service.bootstrap import Container
from payment_service.payments.api import Idempotent, created
from payment_service.payments.read_payments import cursor_id
from payment_service.problems import PROBLEMS
from payment_service.refunds import manage_refunds
from payment_service.refunds.schemas import AdminRefundOut, RefundPayment
from rihla.auth import SteppedUp, require_roles
from rihla.web import Page, PageParams, container, encode_cursor, problem_responses

C = Annotated[Container, Depends(container)]
router = APIRouter(prefix="/v1/admin", tags=["admin: refunds"])
_STAFF = [Depends(require_roles("admin", "support"))]
_ADMIN = [Depends(require_roles("admin"))]


@router.get(
    "/refunds",
    dependencies=_STAFF,
    operation_id="admin_list_refunds",
    summary="Refunds, newest first; `status=failed` is the queue that waits for people",
    responses=problem_responses("forbidden", "unauthenticated", table=PROBLEMS),
)
async def list_refunds(
    page: PageParams,
    c: C,
    status: Annotated[Literal["pending", "succeeded", "failed"] | None, Query()] = None,
    payment_id: UUID | None = None,
    user_id: UUID | None = None,
) -> Page[AdminRefundOut]:
    found = await manage_refunds.list_refunds(
        c.db,
        status=status,
        payment_id=payment_id,
        user_id=user_id,
        before=cursor_id(page.cursor),
        limit=page.limit + 1,
    )
    items = found[: page.limit]
    following = encode_cursor({"before": str(items[-1].id)}) if len(found) > page.limit else None
    return Page(items=items, next_cursor=following)


@router.get(
    "/refunds/{refund_id}",
    dependencies=_STAFF,
    operation_id="admin_get_refund",
    summary="Read a refund with each way the money goes",
    responses=problem_responses("refund-not-found", "forbidden", table=PROBLEMS),
)
async def get_refund(refund_id: UUID, c: C) -> AdminRefundOut:
    return await manage_refunds.read_admin_refund(c.db, refund_id)


@router.post(
    "/refunds/{refund_id}/retry",
    dependencies=_ADMIN,
    operation_id="admin_retry_refund",
    summary="Ask the provider again",
    responses=problem_responses(
        "refund-not-found", "refund-not-failed", "forbidden", "step-up-required", table=PROBLEMS
    ),
)
async def retry_refund(refund_id: UUID, _: SteppedUp, c: C) -> AdminRefundOut:
    return await manage_refunds.retry_refund(c.db, c.providers, c.clock, refund_id)


@router.post(
    "/refunds/{refund_id}/to-wallet",
    dependencies=_ADMIN,
    operation_id="admin_refund_to_wallet",
    summary="Pay a refused refund into the traveller's wallet",
    responses=problem_responses(
        "refund-not-found", "refund-not-failed", "service-unavailable", "forbidden", "step-up-required", table=PROBLEMS
    ),
)
async def refund_to_wallet(refund_id: UUID, _: SteppedUp, c: C) -> AdminRefundOut:
    return await manage_refunds.refund_to_wallet(c.db, c.providers, c.clock, refund_id)


@router.post(
    "/payments/{payment_id}/refunds",
    status_code=201,
    response_model=AdminRefundOut,
    dependencies=_ADMIN,
    operation_id="admin_refund_payment",
    summary="Refund a payment by hand, with a reason",
    responses=problem_responses(
        "payment-not-found", "refund-exceeds-captured", "idempotency-key-required", "idempotency-key-reused",
        "validation-failed", "forbidden", "step-up-required", table=PROBLEMS,
    ),
)  # fmt: skip
async def refund_payment(payment_id: UUID, body: RefundPayment, person: SteppedUp, idem: Idempotent, c: C) -> Response:
    return created(
        await manage_refunds.refund_payment(c.db, c.providers, c.clock, payment_id, body, person.user_id, idem)
    )
