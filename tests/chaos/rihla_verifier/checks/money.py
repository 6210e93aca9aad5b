"""Money: each confirmed booking is paid once, what came in is accounted for, the ledger is unchanged."""

import hashlib
import json
from datetime import UTC
from typing import Any
from uuid import UUID

from rihla_verifier.findings import Check, Evidence

_SUCCEEDED = (
    "SELECT p.id, p.booking_id, p.charge_id, p.amount_minor, p.currency, "
    "coalesce((SELECT sum(r.amount_minor) FROM refund r WHERE r.payment_id = p.id), 0)::bigint AS refunded "
    "FROM payment p WHERE p.status = 'succeeded' AND p.purpose = 'charge'"
)


async def _paid_once(evidence: Evidence) -> list[str]:
    charges = await evidence.databases.rows(
        "booking",
        "SELECT c.id, c.amount_minor, c.currency, b.reference, b.state FROM charge c "
        "JOIN booking b ON b.id = c.booking_id WHERE c.state = 'paid' AND c.amount_minor > 0",
    )
    unpaid = await evidence.databases.rows(
        "booking",
        "SELECT b.reference FROM booking b JOIN charge c ON c.booking_id = b.id AND c.kind = 'initial' "
        "WHERE b.confirmed_at IS NOT NULL AND b.state <> 'cancelled' AND c.state NOT IN ('paid', 'refunded')",
    )
    payments: dict[UUID, list[Any]] = {}
    for row in await evidence.databases.rows("payment", _SUCCEEDED):
        payments.setdefault(row["charge_id"], []).append(row)
    found = [f"booking {row['reference']} is confirmed and its charge is not paid" for row in unpaid]
    for charge in charges:
        paid = payments.get(charge["id"], [])
        sums = [(row["amount_minor"], row["currency"]) for row in paid]
        if sums != [(charge["amount_minor"], charge["currency"])]:
            found.append(f"booking {charge['reference']}: a charge of {charge['amount_minor']} was paid by {sums}")
    return found


async def _captured_is_accounted_for(evidence: Evidence) -> list[str]:
    states = {
        row["id"]: (row["state"], row["amount_minor"], row["refunded_minor"])
        for row in await evidence.databases.rows(
            "booking", "SELECT id, state, amount_minor, refunded_minor FROM charge"
        )
    }
    asked: dict[UUID, int] = {
        row["charge_id"]: row["asked"]
        for row in await evidence.databases.rows(
            "booking", "SELECT charge_id, sum(amount_minor)::bigint AS asked FROM refund GROUP BY 1"
        )
    }
    found: list[str] = []
    for payment in await evidence.databases.rows("payment", _SUCCEEDED):
        state, _, _ = states.get(payment["charge_id"], ("missing", 0, 0))
        kept = payment["amount_minor"] - payment["refunded"]
        if state in ("paid", "refunded"):
            if payment["refunded"] != asked.get(payment["charge_id"], 0):
                found.append(
                    f"payment {payment['id']}: booking asked for {asked.get(payment['charge_id'], 0)} back, "
                    f"payment-service has {payment['refunded']}"
                )
        elif kept:
            found.append(f"payment {payment['id']} keeps {kept} for a charge that is {state}")
    over = await evidence.databases.rows(
        "payment",
        "SELECT p.id FROM payment p JOIN refund r ON r.payment_id = p.id GROUP BY p.id, p.amount_minor "
        "HAVING sum(r.amount_minor) > p.amount_minor",
    )
    return found + [f"payment {row['id']} gave back more than it took" for row in over]


async def _ledger_sums_to_zero(evidence: Evidence) -> list[str]:
    units = await evidence.databases.rows(
        "payment", "SELECT unit, sum(amount)::text AS total FROM ledger_entry GROUP BY unit HAVING sum(amount) <> 0"
    )
    postings = await evidence.databases.rows(
        "payment",
        "SELECT posting_id, unit, sum(amount)::text AS total FROM ledger_entry "
        "GROUP BY posting_id, unit HAVING sum(amount) <> 0",
    )
    balances = await evidence.databases.rows(
        "payment",
        "SELECT a.id, a.balance, coalesce(sum(e.amount), 0)::bigint AS derived FROM ledger_account a "
        "LEFT JOIN ledger_entry e ON e.account_id = a.id WHERE a.owner_id IS NOT NULL "
        "GROUP BY a.id HAVING a.balance <> coalesce(sum(e.amount), 0)",
    )
    return (
        [f"unit {row['unit']} sums to {row['total']}" for row in units]
        + [f"posting {row['posting_id']} sums to {row['total']} {row['unit']}" for row in postings]
        + [f"account {row['id']} caches {row['balance']}, its entries sum to {row['derived']}" for row in balances]
    )


async def _chain_holds(evidence: Evidence) -> list[str]:
    entries: dict[UUID, list[Any]] = {}
    for row in await evidence.databases.rows(
        "payment", "SELECT id, posting_id, account_id, unit, amount, balance_after FROM ledger_entry ORDER BY id"
    ):
        entries.setdefault(row["posting_id"], []).append(row)
    links = await evidence.databases.rows(
        "payment",
        "SELECT l.position, l.hash, p.* FROM ledger_link l JOIN ledger_posting p ON p.id = l.posting_id "
        "ORDER BY l.position",
    )
    found: list[str] = []
    previous = bytes(32)
    for expected, link in enumerate(links, start=links[0]["position"] if links else 0):
        if link["position"] != expected:
            found.append(f"link {expected} is missing")
        if _hash(previous, link, entries.get(link["id"], [])) != bytes(link["hash"]):
            found.append(f"link {link['position']} (posting {link['id']}) does not match what it sealed")
            break
        previous = bytes(link["hash"])
    return found


def _hash(previous: bytes, link: Any, entries: list[Any]) -> bytes:
    """As docs of the ledger say: SHA-256 over the link before and the canonical JSON of the posting."""
    canonical = json.dumps(
        [
            link["position"],
            str(link["id"]),
            link["key"],
            link["kind"],
            str(link["reference_id"] or ""),
            str(link["actor_id"] or ""),
            link["reason"] or "",
            link["posted_at"].astimezone(UTC).isoformat(timespec="microseconds"),
            [[e["id"], str(e["account_id"]), e["unit"], e["amount"], e["balance_after"]] for e in entries],
        ],
        separators=(",", ":"),
    )
    return hashlib.sha256(previous + canonical.encode()).digest()


MONEY = (
    Check("paid once", "each confirmed booking's charges are paid exactly once", ("booking", "payment"), _paid_once),
    Check(
        "captured accounted for",
        "captured = covered charges + refunded + in flight",
        ("booking", "payment"),
        _captured_is_accounted_for,
    ),
    Check(
        "ledger balances",
        "every unit and posting sums to zero, balances are derived",
        ("payment",),
        _ledger_sums_to_zero,
    ),
    Check("ledger unchanged", "the hash chain over postings holds", ("payment",), _chain_holds),
)
