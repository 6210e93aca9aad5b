"""Routes of the ledger for operations."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import select

from payment_service.bootstrap import Container
from payment_service.ledger import store
from payment_service.ledger.adjust import adjust, freeze_wallet
from payment_service.ledger.schemas import (
    AccountOut,
    Adjust,
    AdjustmentOut,
    Freeze,
    LedgerCheckOut,
    LedgerEntryOut,
)
from payment_service.ledger.tables import ledger_check
from payment_service.ledger.units import shown
from payment_service.ledger.verify import check_ledger
from payment_service.payments.api import Idempotent, created
from payment_service.problems import PROBLEMS
from payment_service.wallet.read_wallet import entry_cursor
from rihla.auth import Person, require_roles
from rihla.web import Page, PageParams, container, encode_cursor, problem_responses

C = Annotated[Container, Depends(container)]
router = APIRouter(prefix="/v1/admin/ledger", tags=["admin: ledger"])
_STAFF = [Depends(require_roles("admin", "support"))]
_ADMIN = [Depends(require_roles("admin"))]
_FORBIDDEN = problem_responses("forbidden", "unauthenticated", table=PROBLEMS)


@router.get(
    "/accounts",
    dependencies=_STAFF,
    operation_id="admin_list_accounts",
    summary="Balances: of one person, or of the system accounts",
    responses=_FORBIDDEN,
)
async def list_accounts(c: C, user_id: UUID | None = None) -> Page[AccountOut]:
    async with c.db.transaction() as session:
        if user_id is None:
            system = await store.system_balances(session)
            items = [
                AccountOut(id=None, kind=kind, owner_id=None, balance=shown(amount, unit), frozen=False)
                for kind, unit, amount in system
            ]
        else:
            items = [
                AccountOut(
                    id=found.account_id,
                    kind=found.kind,
                    owner_id=user_id,
                    balance=shown(found.amount, found.unit),
                    frozen=found.frozen,
                )
                for found in await store.balances_of(session, user_id)
            ]
    return Page(items=items)


@router.get(
    "/entries",
    dependencies=_STAFF,
    operation_id="admin_list_entries",
    summary="Entries, newest first: of a person, or of one payment, refund or adjustment",
    responses=_FORBIDDEN,
)
async def list_entries(
    page: PageParams, c: C, user_id: UUID | None = None, reference_id: UUID | None = None
) -> Page[LedgerEntryOut]:
    async with c.db.transaction() as session:
        ids = [found.account_id for found in await store.balances_of(session, user_id)] if user_id else None
        found = await store.entries(
            session,
            account_ids=ids,
            reference_id=reference_id,
            before=entry_cursor(page.cursor),
            limit=page.limit + 1,
        )
    items = [_entry(entry) for entry in found[: page.limit]]
    following = encode_cursor({"before": items[-1].id}) if len(found) > page.limit else None
    return Page(items=items, next_cursor=following)


def _entry(entry: store.StatementEntry) -> LedgerEntryOut:
    return LedgerEntryOut(
        id=entry.id,
        posting_id=entry.posting_id,
        account=entry.account_kind,
        owner_id=entry.owner_id,
        kind=entry.kind,
        amount=shown(entry.amount, entry.unit),
        balance_after=shown(entry.balance_after, entry.unit) if entry.balance_after is not None else None,
        reference_id=entry.reference_id,
        actor_id=entry.actor_id,
        reason=entry.reason,
        posted_at=entry.posted_at,
    )


@router.post(
    "/adjustments",
    status_code=201,
    response_model=AdjustmentOut,
    dependencies=_ADMIN,
    operation_id="admin_adjust_account",
    summary="Correct a person's account, with a reason",
    responses=problem_responses(
        "insufficient-funds", "idempotency-key-required", "idempotency-key-reused", "validation-failed", "forbidden",
        table=PROBLEMS,
    ),
)  # fmt: skip
async def adjust_account(body: Adjust, person: Person, idem: Idempotent, c: C) -> Response:
    return created(await adjust(c.db, c.clock, body, person.user_id, idem))


@router.put(
    "/wallets/{user_id}/freeze",
    status_code=204,
    dependencies=_ADMIN,
    operation_id="admin_freeze_wallet",
    summary="Freeze or unfreeze a wallet",
    responses=_FORBIDDEN,
)
async def freeze(user_id: UUID, body: Freeze, person: Person, c: C) -> Response:
    await freeze_wallet(c.db, c.clock, user_id, body, person.user_id)
    return Response(status_code=204)


@router.get(
    "/checks",
    dependencies=_STAFF,
    operation_id="admin_list_ledger_checks",
    summary="The last recomputations of the whole ledger",
    responses=_FORBIDDEN,
)
async def list_checks(c: C) -> Page[LedgerCheckOut]:
    async with c.db.transaction() as session:
        rows = (await session.execute(select(ledger_check).order_by(ledger_check.c.finished_at.desc()).limit(20))).all()
    return Page(items=[LedgerCheckOut.model_validate(row) for row in rows])


@router.post(
    "/checks",
    status_code=201,
    dependencies=_ADMIN,
    operation_id="admin_check_ledger",
    summary="Recompute the whole ledger now",
    responses=_FORBIDDEN,
)
async def run_check(c: C) -> LedgerCheckOut:
    await check_ledger(c.db, c.clock)
    return (await list_checks(c)).items[0]
