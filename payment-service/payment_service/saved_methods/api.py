"""Routes of saved methods."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from payment_service.bootstrap import Container
from payment_service.payments.api import created
from payment_service.problems import PROBLEMS
from payment_service.saved_methods.manage_methods import list_methods, make_default, remove_method
from payment_service.saved_methods.save_method import save_method
from payment_service.saved_methods.schemas import SavedMethodOut, SavedMethodStarted, SaveMethod
from rihla.auth import Person, SteppedUp
from rihla.web import Page, PageParams, container, problem_responses
from rihla.web.idempotency import IdempotentRequest, idempotent_request

router = APIRouter(prefix="/v1/payment-methods", tags=["payment methods"])
C = Annotated[Container, Depends(container)]
Idempotent = Annotated[IdempotentRequest, Depends(idempotent_request(required=True))]
_ONE = problem_responses("payment-method-not-found", "unauthenticated", table=PROBLEMS)


@router.post(
    "",
    status_code=201,
    response_model=SavedMethodStarted,
    operation_id="save_payment_method",
    summary="Begin to save a card",
    description=(
        "The card is entered in the provider's own form with `client_secret`, never with us. It can be paid with, "
        "also when its holder is not there, once the provider says that it is set up."
    ),
    responses=problem_responses(
        "method-not-accepted", "provider-not-available", "payment-method-limit", "payment-method-not-found",
        "validation-failed", "idempotency-key-required", "idempotency-key-reused", "request-in-progress",
        "unauthenticated", "step-up-required", "service-unavailable", table=PROBLEMS,
    ),
)  # fmt: skip
async def create(body: SaveMethod, person: SteppedUp, idem: Idempotent, c: C) -> Response:
    return created(await save_method(c.vault, person.user_id, body.provider, test_mode=person.test_mode, idem=idem))


@router.get(
    "",
    operation_id="list_payment_methods",
    summary="List your saved cards, newest first",
    responses=problem_responses("invalid-cursor", "unauthenticated", table=PROBLEMS),
)
async def get_methods(person: Person, page: PageParams, c: C) -> Page[SavedMethodOut]:
    return await list_methods(c.vault, person.user_id, limit=page.limit, cursor=page.cursor)


@router.post(
    "/{method_id}/default",
    operation_id="choose_default_payment_method",
    summary="Choose the card that is offered first",
    responses=_ONE,
)
async def choose_default(method_id: UUID, person: Person, c: C) -> SavedMethodOut:
    return await make_default(c.vault, person.user_id, method_id)


@router.delete(
    "/{method_id}",
    status_code=204,
    operation_id="remove_payment_method",
    summary="Remove a saved card, here and at the provider",
    responses=problem_responses("payment-method-not-found", "unauthenticated", "step-up-required", table=PROBLEMS),
)
async def remove(method_id: UUID, person: SteppedUp, c: C) -> None:
    await remove_method(c.vault, person.user_id, method_id)
