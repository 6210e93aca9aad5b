"""Corrections and freezes by administrators: each says who and why, and stays on record."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.ledger import accounts, store
from payment_service.ledger.accounts import COIN, POINT, Account
from payment_service.ledger.post import post
from payment_service.ledger.posting import Line, Posting
from payment_service.ledger.schemas import Adjust, AdjustmentOut, Freeze
from payment_service.ledger.tables import ledger_admin_action
from payment_service.ledger.units import parsed, shown
from payment_service.problems import PROBLEMS
from payment_service.wallet.coin_lots import add_lot, spend_lots
from rihla.db import Database
from rihla.kernel import Clock, DomainError, new_id
from rihla.web import ValidationFailed
from rihla.web.idempotency import IdempotentRequest, Replay


async def adjust(db: Database, clock: Clock, body: Adjust, actor_id: UUID, idem: IdempotentRequest) -> bytes | Replay:
    """Post a correction. Raises InsufficientFunds; a frozen account can be corrected."""
    account, amount = _account(body), _amount(body)
    now = clock.now()
    try:
        async with db.transaction() as session:
            began = await idem.begin(session, resource_id=new_id(), now=now)
            if isinstance(began, Replay):
                return began
            if account.kind == "coins":
                await _move_lots(session, body, began.resource_id, amount, clock)
            lines = (Line(accounts.adjustments(account.unit), -amount), Line(account, amount))
            key = f"adjustment:{began.resource_id}"
            posting = Posting(key, "adjustment", lines, began.resource_id, actor_id, body.reason)
            posting_id = await post(session, posting, now=now, force=True)
            assert posting_id is not None  # the key is the request's own
            balance = await store.balance(session, account.id)
            answer = AdjustmentOut(posting_id=posting_id, balance=shown(balance, account.unit))
            data = answer.model_dump_json().encode()
            await idem.finish(session, status=201, body=data)
            return data
    except DomainError as error:
        await idem.finish_with_error(db, error, PROBLEMS)
        raise


async def freeze_wallet(db: Database, clock: Clock, user_id: UUID, body: Freeze, actor_id: UUID) -> None:
    """Freeze or unfreeze, on record. The wallet is opened when the person has none yet."""
    account = accounts.wallet(user_id, body.currency)
    async with db.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO ledger_account (id, kind, unit, owner_id, balance) "
                "VALUES (:id, :kind, :unit, :owner_id, 0) ON CONFLICT DO NOTHING"
            ),
            {"id": account.id, "kind": account.kind, "unit": account.unit, "owner_id": user_id},
        )
        await store.set_frozen(session, account.id, frozen=body.frozen)
        await session.execute(
            insert(ledger_admin_action).values(
                id=new_id(),
                account_id=account.id,
                action="freeze" if body.frozen else "unfreeze",
                reason=body.reason,
                actor_id=actor_id,
                at=clock.now(),
            )
        )


async def _move_lots(session: AsyncSession, body: Adjust, request_id: UUID, amount: int, clock: Clock) -> None:
    now = clock.now()
    if amount < 0:
        await spend_lots(session, body.user_id, part_id=request_id, coins=-amount, now=now)
        return
    expires_at = now + timedelta(days=body.expires_in_days)
    await add_lot(
        session, body.user_id, source=f"adjustment:{request_id}", coins=amount, expires_at=expires_at, now=now
    )


def _account(body: Adjust) -> Account:
    units = {"coins": COIN, "points": POINT}
    wanted = units.get(body.account)
    if (wanted is None and (body.unit in (COIN, POINT) or len(body.unit) != 3)) or wanted not in (None, body.unit):
        raise ValidationFailed({"pointer": "#/unit", "code": "unit", "message": "does not fit the account"})
    return Account(body.account, body.unit, body.user_id)


def _amount(body: Adjust) -> int:
    try:
        amount = parsed(body.amount, body.unit)
    except ValueError:
        amount = 0
    if amount == 0:
        raise ValidationFailed(
            {"pointer": "#/amount", "code": "amount", "message": "not zero, with the digits of its unit"}
        )
    return amount
