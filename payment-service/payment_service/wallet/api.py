"""Routes of the wallet."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from payment_service.bootstrap import Container
from payment_service.payments.api import Idempotent, created
from payment_service.payments.methods import Method
from payment_service.payments.schemas import PaymentOut
from payment_service.problems import PROBLEMS
from payment_service.wallet.read_wallet import list_entries, read_wallet
from payment_service.wallet.schemas import CreateTopUp, WalletEntryOut, WalletOut
from payment_service.wallet.top_up import TopUp, top_up
from rihla.auth import Person
from rihla.web import Page, PageParams, container, problem_responses

router = APIRouter(prefix="/v1/wallet", tags=["wallet"])
C = Annotated[Container, Depends(container)]


@router.get(
    "",
    operation_id="get_wallet",
    summary="Read your balances, coins and points",
    responses=problem_responses("unauthenticated", table=PROBLEMS),
)
async def get_wallet(person: Person, c: C) -> WalletOut:
    return await read_wallet(c.db, c.clock, person.user_id, c.settings.coin_values_minor)


@router.get(
    "/entries",
    operation_id="list_wallet_entries",
    summary="Read your statement, newest first",
    responses=problem_responses("invalid-cursor", "unauthenticated", table=PROBLEMS),
)
async def get_entries(
    person: Person,
    page: PageParams,
    c: C,
    unit: Annotated[
        str | None, Query(pattern=r"^[A-Z]{3,5}$", description="one currency, COIN or POINT; default: all")
    ] = None,
) -> Page[WalletEntryOut]:
    return await list_entries(c.db, person.user_id, unit=unit, limit=page.limit, cursor=page.cursor)


@router.post(
    "/top-ups",
    status_code=201,
    response_model=PaymentOut,
    operation_id="create_top_up",
    summary="Top up your wallet by card",
    responses=problem_responses(
        "top-up-limit", "provider-not-available", "validation-failed", "idempotency-key-required",
        "idempotency-key-reused", "request-in-progress", "unauthenticated", table=PROBLEMS,
    ),
)  # fmt: skip
async def create_top_up(body: CreateTopUp, person: Person, idem: Idempotent, c: C) -> Response:
    method = Method("card", (body.method.source(),))
    command = TopUp(person.user_id, body.amount.money(), method, person.test_mode)
    return created(await top_up(c.till, c.settings, command, idem))
