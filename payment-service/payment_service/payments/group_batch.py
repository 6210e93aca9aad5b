"""Everything a group writes, gathered as rows and written by one call (`till_write`, migration 0003)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from payment_service.ledger.accounts import Account
from payment_service.ledger.posting import Posting, merged
from payment_service.payments.records import PartRecord, PaymentRecord
from payment_service.providers.interface import ProviderEvent, TakeOutcome
from rihla.contracts.events import Envelope, EventData
from rihla.kernel import new_id
from rihla.web.idempotency import IdempotentRequest

_encoder: Final = msgspec.json.Encoder()
_EVENT_PAUSE: Final = timedelta(seconds=5)


@dataclass(slots=True)
class Batch:
    """Rows by section; sections that stay empty are not sent. The records hold every column of their tables."""

    settled: list[dict[str, Any]] = field(default_factory=list)
    spent: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    opened: dict[UUID, Account] = field(default_factory=dict)
    keys: list[dict[str, Any]] = field(default_factory=list)
    payments: list[PaymentRecord] = field(default_factory=list)
    parts: list[PartRecord] = field(default_factory=list)
    postings: list[dict[str, Any]] = field(default_factory=list)
    entries: list[tuple[Any, ...]] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    def key(
        self, idem: IdempotentRequest, resource_id: UUID, lease_until: datetime, answer: bytes | None = None
    ) -> None:
        """The request's idempotency key, with its answer when that is known already."""
        self.keys.append(
            {
                "scope": idem.scope,
                "key": idem.key,
                "fingerprint": idem.fingerprint.hex(),
                "resource_id": resource_id,
                "lease_until": lease_until,
                "status": None if answer is None else 201,
                "media_type": None if answer is None else "application/json",
                "body": None if answer is None else answer.decode(),
            }
        )

    def answer(self, idem: IdempotentRequest, answer: bytes) -> None:
        """The answer of a request whose key was stored before."""
        self.answers.append({"scope": idem.scope, "key": idem.key, "body": answer.decode()})

    def post(self, posting: Posting, *, balances: dict[UUID, int]) -> None:
        """A posting; `balances` are the running balances after it, of the user accounts it touches."""
        posting_id = new_id()
        self.postings.append(
            {"id": posting_id, "key": posting.key, "kind": posting.kind, "reference_id": posting.reference_id}
        )
        for line in merged(posting.lines):
            account_id = line.account.id
            if not line.account.cached:
                self.opened[account_id] = line.account
            self.entries.append((posting_id, account_id, line.account.unit, line.amount, balances.get(account_id)))

    def spend(self, account_id: UUID, *, version: int, amount: int) -> None:
        """Take from a wallet under the version that was read; several of a group add up."""
        row = self.spent.setdefault(
            account_id, {"account_id": account_id, "version": version, "amount": 0, "entries": 0}
        )
        row["amount"] += amount
        row["entries"] += 1

    def settle(self, before: PaymentRecord, part: PartRecord) -> None:
        """The payment has succeeded by its only part, from the sequence that was read."""
        self.settled.append(
            {
                "payment_id": before.id,
                "sequence": before.sequence,
                "part_id": part.id,
                "provider_reference": part.provider_reference,
                "card_brand": part.card_brand,
                "card_last4": part.card_last4,
            }
        )

    def event(self, event: EventData, payment: PaymentRecord, *, now: datetime) -> None:
        """An event of the payment for the outbox."""
        envelope = Envelope.of(event, subject=str(payment.id), sequence=payment.sequence, time=now)
        self.events.append(
            {
                "id": envelope.id,
                "aggregate_id": payment.id,
                "sequence": payment.sequence,
                "type": envelope.type,
                "envelope": msgspec.Raw(envelope.model_dump_json().encode()),
            }
        )

    def tell(self, provider: str, event: ProviderEvent, status: str, *, now: datetime) -> None:
        """A provider's event, kept once."""
        self.told.append(
            {
                "id": new_id(),
                "provider": provider,
                "event_id": event.event_id,
                "type": event.type,
                "facts": event.facts(again=status == "pending"),
                "status": status,
                "next_attempt_at": now + _EVENT_PAUSE,
            }
        )

    def json(self) -> str:
        """What `till_write` reads; empty when there is nothing to write."""
        sections = {
            "settled": self.settled,
            "spent": list(self.spent.values()),
            "opened": [{"id": key, "kind": one.kind, "unit": one.unit} for key, one in self.opened.items()],
            **{name: getattr(self, name) for name in _AS_THEY_ARE},
        }
        filled = {name: rows for name, rows in sections.items() if rows}
        return _encoder.encode(filled).decode() if filled else ""


_AS_THEY_ARE: Final = ("keys", "payments", "parts", "postings", "entries", "told", "answers", "events")


async def write_batch(connection: "asyncpg.pool.PoolConnectionProxy[Any]", batch: Batch, *, now: datetime) -> None:
    """One statement, one transaction. Raises asyncpg.PostgresError: RP001 when something read has moved."""
    text = batch.json()
    if text:
        await connection.execute("SELECT till_write($1::jsonb, $2)", text, now)


def with_outcome(part: PartRecord, outcome: TakeOutcome) -> dict[str, Any]:
    """What a provider's word adds to a part; what is known already stays."""
    return {
        "provider_reference": part.provider_reference or outcome.reference,
        "card_brand": part.card_brand or outcome.card_brand,
        "card_last4": part.card_last4 or outcome.card_last4,
    }
