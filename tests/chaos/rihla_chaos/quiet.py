"""Nobody travels, nothing is broken: how long until nothing is under way any more?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

import asyncpg

_WAITING: tuple[tuple[str, str, str], ...] = (
    *(
        (name, f"events in the outbox of {name}", "SELECT count(*) FROM outbox")
        for name in ("auth", "flight", "booking", "payment", "chat")
    ),
    ("booking", "errands", "SELECT count(*) FROM errand"),
    ("booking", "papers to make", "SELECT count(*) FROM document_job WHERE state IN ('queued', 'working')"),
    ("booking", "bookings being placed", "SELECT count(*) FROM booking WHERE state = 'placing'"),
    ("booking", "unpaid bookings", "SELECT count(*) FROM booking WHERE state = 'pending_payment'"),
    ("booking", "steps under way", "SELECT count(*) FROM booking WHERE step IS NOT NULL"),
    ("payment", "payments under way", "SELECT count(*) FROM payment WHERE status = 'processing'"),
    ("payment", "refunds under way", "SELECT count(*) FROM refund WHERE status = 'pending'"),
    ("payment", "postings to seal", "SELECT count(*) FROM ledger_unsealed"),
    (
        "chat",
        "words of support unseen and untold",
        "SELECT count(*) FROM conversation c WHERE traveller_unread > 0 AND told_seq <= traveller_seen_seq AND EXISTS "
        "(SELECT 1 FROM message m WHERE m.conversation_id = c.id AND m.sender_kind = 'staff' "
        "AND m.seq > c.traveller_seen_seq)",
    ),
    ("flight", "expired holds", "SELECT count(*) FROM hold WHERE status = 'held' AND expires_at < now()"),
    (
        "notification",
        "messages to send",
        # One whose sender lost its database is sent again when the lease ends, two minutes later.
        "SELECT count(*) FROM delivery WHERE state IN ('waiting', 'sending') "
        "OR (state = 'queued' AND due_at < now() + interval '1 minute')",
    ),
    ("sandbox", "webhooks to deliver", "SELECT count(*) FROM delivery WHERE next_attempt_at IS NOT NULL"),
)


async def grow_quiet(urls: Mapping[str, str], seconds: float) -> tuple[float, dict[str, int]]:
    """Wait until nothing is under way; how long that took and what was left after `seconds`."""
    began, shown = time.monotonic(), None
    while True:
        left = {name: count for name, count in (await _count(urls)).items() if count}
        passed = time.monotonic() - began
        if left.keys() != shown:
            print(f"  under way after {passed:.1f} s: {', '.join(left) or 'nothing'}", flush=True)
            shown = left.keys()
        if not left or passed > seconds:
            return passed, left
        await asyncio.sleep(0.5)


async def _count(urls: Mapping[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for service in {one for one, _, _ in _WAITING} & urls.keys():
        connection = await asyncpg.connect(urls[service], timeout=10)
        try:
            for owner, what, query in _WAITING:
                if owner == service:
                    found[what] = int(await connection.fetchval(query))
        finally:
            await connection.close()
    return found
