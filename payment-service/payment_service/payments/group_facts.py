"""What the till must know before it decides a group: read in one round trip, without a lock."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from payment_service.payments.asked import Asked, CardStart, Taking, WalletPayment
from payment_service.payments.records import PartRecord, PaymentRecord

_READ: Final = """
SELECT json_build_object(
  'known_keys', ARRAY(SELECT q.n FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS q(scope, key, n)
    WHERE EXISTS (SELECT 1 FROM idempotency_key k WHERE k.scope = q.scope AND k.key = q.key)),
  'paid', ARRAY(SELECT p.charge_id FROM payment p WHERE p.charge_id = ANY ($3::uuid[]) AND p.status = 'succeeded'),
  'wallets', ARRAY(SELECT json_build_object('id', a.id, 'balance', a.balance, 'version', a.version, 'frozen', a.frozen)
    FROM ledger_account a WHERE a.id = ANY ($4::uuid[])),
  'takings', ARRAY(SELECT json_build_object('part', to_json(pp), 'payment', to_json(p),
      'alone', NOT EXISTS (SELECT 1 FROM payment_part o WHERE o.payment_id = p.id AND o.id <> pp.id),
      'lost', EXISTS (SELECT 1 FROM payment w
        WHERE w.charge_id = p.charge_id AND w.id <> p.id AND w.status = 'succeeded'),
      'forgotten', EXISTS (SELECT 1 FROM method_customer c WHERE c.user_id = p.user_id AND c.state <> 'open'))
    FROM (SELECT unnest($5::uuid[]) AS id UNION SELECT known.id
      FROM unnest($6::text[], $7::text[]) AS r(provider, reference)
      JOIN payment_part known ON known.provider = r.provider AND known.provider_reference = r.reference) wanted
    JOIN payment_part pp ON pp.id = wanted.id JOIN payment p ON p.id = pp.payment_id),
  'known_events', ARRAY(SELECT q.n FROM unnest($8::text[], $9::text[]) WITH ORDINALITY AS q(provider, event_id, n)
    WHERE EXISTS (SELECT 1 FROM provider_event e WHERE e.provider = q.provider AND e.event_id = q.event_id))
)::text
"""


@dataclass(frozen=True, slots=True)
class WalletFact:
    """A wallet's cached balance and the version it had."""

    id: UUID
    balance: int
    version: int
    frozen: bool


@dataclass(frozen=True, slots=True)
class TakingFact:
    """A part, its payment, whether the payment has no other part, whether another one paid its charge, and whether the
    person's account was deleted.
    """

    part: PartRecord
    payment: PaymentRecord
    alone: bool
    lost: bool
    forgotten: bool


@dataclass(frozen=True, slots=True)
class _Read:
    known_keys: list[int]
    paid: list[UUID]
    wallets: list[WalletFact]
    takings: list[TakingFact]
    known_events: list[int]


@dataclass(frozen=True, slots=True)
class Facts:
    """The state a group is decided on. Keys and events are those known before, by their names."""

    known_keys: frozenset[tuple[str, str]]
    paid_charges: frozenset[UUID]
    wallets: dict[UUID, WalletFact]
    takings: dict[UUID, TakingFact]
    references: dict[tuple[str, str], UUID]
    known_events: frozenset[tuple[str, str]]


_decoder: Final = msgspec.json.Decoder(_Read)


async def read_facts(connection: "asyncpg.pool.PoolConnectionProxy[Any]", group: Sequence[Asked]) -> Facts:
    """Everything `decide` asks for, in one statement."""
    starts = [asked for asked in group if isinstance(asked, WalletPayment | CardStart)]
    takings = [asked for asked in group if isinstance(asked, Taking)]
    keys = [(asked.idem.scope, asked.idem.key) for asked in starts]
    by_id = [asked.part_id for asked in takings if asked.part_id is not None]
    by_reference = [(a.provider, a.reference) for a in takings if a.part_id is None and a.reference is not None]
    events = [(asked.provider, asked.event.event_id) for asked in takings if asked.event is not None]
    text = await connection.fetchval(
        _READ,
        *_columns(keys),
        [asked.payable.charge_id for asked in starts],
        [asked.wallet.id for asked in starts if isinstance(asked, WalletPayment)],
        by_id,
        *_columns(by_reference),
        *_columns(events),
    )
    found = _decoder.decode(text)
    parts = {fact.part.id: fact for fact in found.takings}
    return Facts(
        frozenset(keys[n - 1] for n in found.known_keys),
        frozenset(found.paid),
        {wallet.id: wallet for wallet in found.wallets},
        parts,
        {(f.part.provider or "", f.part.provider_reference or ""): f.part.id for f in parts.values()},
        frozenset(events[n - 1] for n in found.known_events),
    )


def _columns(pairs: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    return [first for first, _ in pairs], [second for _, second in pairs]
