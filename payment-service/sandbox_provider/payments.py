"""Taking, confirming, settling, cancelling and refunding: each an idempotent step in one transaction."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from rihla.db import Database
from rihla.kernel import Clock
from sandbox_provider import cards, store, tables
from sandbox_provider.schemas import CreatePayment, CreateRefund, PaymentOut, RefundOut
from sandbox_provider.settings import Settings
from sandbox_provider.till import Taken, Till

MOST_SETTLED: Final = 100
# Asked four times a second, mostly for nothing.
_SOME_DUE: Final = "SELECT EXISTS (SELECT FROM payment WHERE status = 'processing' AND settle_at <= $1)"
# What is decided at once is told of once; what waits for a person or the bank is told of now and at its end.
_BEGINNINGS: Final[dict[cards.Status, str]] = {
    "succeeded": "payment.succeeded",
    "declined": "payment.failed",
    "requires_action": "payment.created",
    "processing": "payment.created",
}


class Refused(Exception):
    """A request this company does not carry out; `status` is the HTTP status of the answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Payments:
    """The company's desk. Opens and closes its own transactions."""

    def __init__(self, db: Database, settings: Settings, clock: Clock) -> None:
        self._db, self._settings, self._clock = db, settings, clock
        self._till = Till(db, settings.webhook_urls)

    async def close(self) -> None:
        """Finish what is being stored."""
        await self._till.close()

    async def create(self, key: str, request: CreatePayment) -> PaymentOut:
        """Take a payment once for a key; the same key with other content is refused, a cancelled key stays dead."""
        now = self._clock.now()
        number = request.card.number.get_secret_value().replace(" ", "")
        decision = cards.decide(number, exp_month=request.card.exp_month, exp_year=request.card.exp_year, now=now)
        delay = timedelta(seconds=self._settings.delayed_success_seconds)
        values: dict[str, Any] = {
            "id": store.new_name("pay"),
            "idempotency_key": key,
            "fingerprint": self._fingerprint(request.model_dump(exclude={"card"}), number),
            "amount_minor": request.amount_minor,
            "currency": request.currency,
            "reference": request.reference,
            "status": decision.status,
            "decline_code": decision.decline_code,
            "message": decision.message,
            "brand": cards.brand(number),
            "last4": number[-4:] if number[-4:].isdigit() and len(number) >= 4 else None,
            "confirmation_token": secrets.token_urlsafe(24) if decision.status == "requires_action" else None,
            "settle_at": now + delay if decision.status == "processing" else None,
            "refunded_minor": 0,
            "created_at": now,
        }
        answer = self._shown(values)
        body = store.event_body(_BEGINNINGS[decision.status], _told(answer), now=now)
        if await self._till.store(Taken(values, body["id"], body["type"], body, now)):
            return answer
        return await self._known(key, values["fingerprint"])

    async def find(self, *, payment_id: str | None = None, key: str | None = None) -> PaymentOut:
        """A payment by id or by idempotency key; Refused 404 when there is none."""
        async with self._db.transaction() as session:
            row = (
                await store.payment(session, payment_id)
                if payment_id
                else await store.by_key(session, tables.payment, key or "")
            )
        if row is None:
            raise Refused(404, "payment_unknown", "No payment with this id or key.")
        return self._shown(row._asdict())

    async def cancel(self, key: str) -> PaymentOut:
        """Make sure that this key takes no money from now on; a key never seen is cancelled in advance."""
        now = self._clock.now()
        async with self._db.transaction() as session:
            await session.execute(
                upsert(tables.payment)
                .values(id=store.new_name("pay"), idempotency_key=key, status="cancelled", created_at=now)
                .on_conflict_do_nothing(index_elements=["idempotency_key"])
            )
            found = await session.execute(
                select(tables.payment).where(tables.payment.c.idempotency_key == key).with_for_update()
            )
            row = found.one()
            if row.status in ("requires_action", "processing"):
                row = await store.change_payment(session, row.id, status="cancelled", settle_at=None)
        return self._shown(row._asdict())

    async def confirm(self, payment_id: str, token: str, *, approved: bool) -> PaymentOut:
        """The card's owner answers on the confirmation page; a second answer changes nothing."""
        now = self._clock.now()
        async with self._db.transaction() as session:
            row = await store.payment(session, payment_id, lock=True)
            if row is None or not hmac.compare_digest(row.confirmation_token or "", token):
                raise Refused(404, "payment_unknown", "No such payment.")
            if row.status == "requires_action":
                outcome: dict[str, Any] = {"status": "succeeded"}
                if not approved:
                    outcome = {
                        "status": "declined",
                        "decline_code": "authentication_failed",
                        "message": "The card's owner did not approve the payment.",
                    }
                row = await store.change_payment(session, payment_id, **outcome)
                await self._tell_end(session, self._shown(row._asdict()), now)
        return self._shown(row._asdict())

    async def settle_due(self) -> int:
        """Let delayed payments succeed whose time has come."""
        now = self._clock.now()
        if not await (await self._db.asyncpg_pool()).fetchval(_SOME_DUE, now):
            return 0
        async with self._db.transaction() as session:
            due = await session.execute(
                select(tables.payment.c.id)
                .where(tables.payment.c.status == "processing", tables.payment.c.settle_at <= now)
                .order_by(tables.payment.c.settle_at)
                .limit(MOST_SETTLED)
                .with_for_update(skip_locked=True)
            )
            ids = list(due.scalars())
            for payment_id in ids:
                row = await store.change_payment(session, payment_id, status="succeeded", settle_at=None)
                await self._tell_end(session, self._shown(row._asdict()), now)
        return len(ids)

    async def refund(self, key: str, request: CreateRefund) -> RefundOut:
        """Give money back once for a key; never more than was taken."""
        now = self._clock.now()
        async with self._db.transaction() as session:
            known = await store.by_key(session, tables.refund, key)
            if known is not None:
                return _refund_shown(known)
            paid = await store.payment(session, request.payment_id, lock=True)
            if paid is None or paid.status != "succeeded":
                raise Refused(409, "payment_not_refundable", "The payment was not captured.")
            known = await store.by_key(session, tables.refund, key)  # a twin request may have held the lock before us
            if known is not None:
                return _refund_shown(known)
            if paid.refunded_minor + request.amount_minor > paid.amount_minor:
                raise Refused(409, "amount_too_large", "The refund is larger than what is left of the payment.")
            refused = paid.last4 == cards.REFUNDS_REFUSED_LAST4
            if not refused:
                await store.change_payment(session, paid.id, refunded_minor=paid.refunded_minor + request.amount_minor)
            values: dict[str, Any] = {
                "id": store.new_name("ref"),
                "idempotency_key": key,
                "payment_id": paid.id,
                "amount_minor": request.amount_minor,
                "currency": paid.currency,
                "reference": request.reference,
                "status": "failed" if refused else "succeeded",
                "failure_code": "account_closed" if refused else None,
                "created_at": now,
            }
            row = (await session.execute(insert(tables.refund).values(values).returning(*tables.refund.c))).one()
            answer = _refund_shown(row)
            await self._tell(session, f"refund.{answer.status}", answer, now)
        return answer

    async def find_refund(self, key: str) -> RefundOut:
        """A refund by its idempotency key; Refused 404 when there is none."""
        async with self._db.transaction() as session:
            row = await store.by_key(session, tables.refund, key)
        if row is None:
            raise Refused(404, "refund_unknown", "No refund with this key.")
        return _refund_shown(row)

    async def _known(self, key: str, fingerprint: str) -> PaymentOut:
        """What this key was used for before."""
        async with self._db.transaction() as session:
            known = await store.by_key(session, tables.payment, key)
        assert known is not None  # the conflicting row is committed and never deleted
        if known.status == "cancelled":
            raise Refused(409, "key_cancelled", "This idempotency key was cancelled.")
        if known.fingerprint != fingerprint:
            raise Refused(422, "key_reused", "This idempotency key was used with other content.")
        return self._shown(known._asdict())

    def _fingerprint(self, content: dict[str, Any], number: str) -> str:
        """Keyed, so that the stored value cannot be searched for a card number."""
        text = json.dumps({**content, "card": number}, sort_keys=True)
        return hmac.new(
            self._settings.sandbox_api_key.get_secret_value().encode(), text.encode(), hashlib.sha256
        ).hexdigest()

    def _shown(self, row: Mapping[str, Any]) -> PaymentOut:
        values = {name: row[name] for name in PaymentOut.model_fields if name != "confirmation_url"}
        url = None
        if row["status"] == "requires_action":
            url = f"{self._settings.sandbox_public_url}/confirm/{row['id']}?token={row['confirmation_token']}"
        return PaymentOut(**values, confirmation_url=url)

    async def _tell_end(self, session: AsyncSession, answer: PaymentOut, now: datetime) -> None:
        if answer.status == "succeeded":
            await self._tell(session, "payment.succeeded", answer, now)
        elif answer.status == "declined":
            await self._tell(session, "payment.failed", answer, now)

    async def _tell(self, session: AsyncSession, kind: str, data: PaymentOut | RefundOut, now: datetime) -> None:
        await store.add_event(session, kind, _told(data), urls=self._settings.webhook_urls, now=now)


def _told(data: PaymentOut | RefundOut) -> dict[str, Any]:
    return data.model_dump(mode="json", exclude={"confirmation_url"})


def _refund_shown(row: Row[Any]) -> RefundOut:
    return RefundOut(**{name: getattr(row, name) for name in RefundOut.model_fields})
