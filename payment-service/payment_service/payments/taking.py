"""The ledger side of taking money: into the in-flight account, on to its target, or back to its owner."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.ledger import accounts
from payment_service.ledger.post import post
from payment_service.ledger.posting import Line, Posting, transfer
from payment_service.payments import store
from payment_service.payments.records import PartRecord, PaymentRecord
from payment_service.wallet.coin_lots import return_lots, spend_lots


def taking_lines(payment: PaymentRecord, part: PartRecord) -> tuple[Line, ...]:
    """One part's money into the in-flight account; coins also move as coins."""
    in_flight = accounts.in_flight(part.currency)
    if part.kind == "card":
        return transfer(accounts.provider(part.provider or "", part.currency), in_flight, part.amount_minor)
    if part.kind == "wallet":
        return transfer(accounts.wallet(payment.user_id, part.currency), in_flight, part.amount_minor)
    money = transfer(accounts.coin_funding(part.currency), in_flight, part.amount_minor)
    return money + transfer(accounts.coins(payment.user_id), accounts.coins_redeemed(), part.coins or 0)


def success_lines(payment: PaymentRecord) -> tuple[Line, ...]:
    """Everything taken, on to what was paid for."""
    return transfer(accounts.in_flight(payment.currency), payment.target, payment.amount_minor)


async def take_inside(
    session: AsyncSession, payment: PaymentRecord, parts: Sequence[PartRecord], *, now: datetime
) -> None:
    """Take wallet and coins parts. When nothing else is to be taken, one posting carries them to the target.

    Raises InsufficientFunds and WalletFrozen; the caller rolls back to a savepoint then.
    """
    inside = [part for part in parts if part.kind != "card"]
    if not inside:
        return
    for part in inside:
        if part.kind == "coins":
            await spend_lots(session, payment.user_id, part_id=part.id, coins=part.coins or 0, now=now)
    lines = tuple(line for part in inside for line in taking_lines(payment, part))
    if len(inside) == len(parts):
        lines += success_lines(payment)
        posting = Posting(f"payment:{payment.id}:succeeded", "payment", lines, payment.id)
    else:
        posting = Posting(f"payment:{payment.id}:reserved", "payment_reserved", lines, payment.id)
    await post(session, posting, now=now)


async def take_outside(session: AsyncSession, payment: PaymentRecord, part: PartRecord, *, now: datetime) -> None:
    """A provider has captured this part."""
    posting = Posting(f"part:{part.id}:taken", "card_captured", taking_lines(payment, part), payment.id)
    await post(session, posting, now=now)


async def pass_on(session: AsyncSession, payment: PaymentRecord, *, now: datetime) -> None:
    """The payment has succeeded: its money leaves the in-flight account."""
    await post(
        session, Posting(f"payment:{payment.id}:succeeded", "payment", success_lines(payment), payment.id), now=now
    )


async def give_back_inside(
    session: AsyncSession, payment: PaymentRecord, part: PartRecord, *, now: datetime
) -> PartRecord:
    """Wallet or coins of a payment that failed, back to their owner as if nothing had happened."""
    lines = tuple(Line(line.account, -line.amount) for line in taking_lines(payment, part))
    await post(session, Posting(f"part:{part.id}:given_back", "payment_given_back", lines, payment.id), now=now)
    if part.kind == "coins":
        await return_lots(
            session, payment.user_id, part_id=part.id, coins=part.coins or 0, source=f"part:{part.id}", now=now
        )
    return await store.change_part(session, part.id, status="given_back")
