"""Routes of payments."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from payment_service.bootstrap import Container
from payment_service.payments.pay import PayCharge
from payment_service.payments.read_payments import list_payments, read_payment
from payment_service.payments.schemas import CreatePayment, PaymentOut, to_method
from payment_service.problems import PROBLEMS
from rihla.auth import Person, Principal
from rihla.web import Page, PageParams, container, problem_responses
from rihla.web.idempotency import IdempotentRequest, Replay, idempotent_request, replay_response

# Not part of the request's fingerprint: a hash of a card number could be searched for the number.
CARD_FIELDS = frozenset({"card", "token"})

router = APIRouter(prefix="/v1/payments", tags=["payments"])
C = Annotated[Container, Depends(container)]
Idempotent = Annotated[IdempotentRequest, Depends(idempotent_request(required=True, without=CARD_FIELDS))]


def created(answer: bytes | Replay) -> Response:
    """201 with the answer, or the saved one marked as a replay."""
    if isinstance(answer, Replay):
        return replay_response(answer)
    return Response(answer, 201, media_type="application/json")


@router.post(
    "",
    status_code=201,
    response_model=PaymentOut,
    operation_id="create_payment",
    summary="Pay for a booking",
    description=(
        "Pays the booking's due charge at the amount booking-service states. A decline is 201 with status `failed`; "
        "`requires_action` carries the page where the person confirms; `processing` ends later by the provider's word."
    ),
    responses=problem_responses(
        "booking-not-found", "charge-not-due", "payment-window-closed", "provider-not-available",
        "method-not-accepted", "payment-method-not-found", "validation-failed", "idempotency-key-required",
        "idempotency-key-reused", "request-in-progress", "unauthenticated", "service-unavailable", table=PROBLEMS,
    ),
)  # fmt: skip
async def create_payment(body: CreatePayment, person: Person, idem: Idempotent, c: C) -> Response:
    return await pay(body, person, idem, c)


async def pay(body: CreatePayment, person: Principal, idem: IdempotentRequest, c: Container) -> Response:
    """What both ways to this route do (`express_lanes`)."""
    command = PayCharge(
        user_id=person.user_id,
        booking_id=body.booking_id,
        charge_id=body.charge_id,
        method=to_method(body.method),
        test_mode=person.test_mode,
        return_url=body.return_url,
    )
    return created(await c.till.pay_charge(command, idem))


@router.get(
    "/{payment_id}",
    operation_id="get_payment",
    summary="Read one of your payments",
    responses=problem_responses("payment-not-found", "unauthenticated", table=PROBLEMS),
)
async def get_payment(payment_id: UUID, person: Person, c: C) -> PaymentOut:
    return await read_payment(c.db, payment_id, person.user_id)


@router.get(
    "",
    operation_id="list_payments",
    summary="List your payments, newest first",
    responses=problem_responses("invalid-cursor", "unauthenticated", table=PROBLEMS),
)
async def get_payments(
    person: Person,
    page: PageParams,
    c: C,
    booking_id: Annotated[UUID | None, Query(description="only payments of this booking")] = None,
) -> Page[PaymentOut]:
    return await list_payments(c.db, person.user_id, booking_id=booking_id, limit=page.limit, cursor=page.cursor)
