"""Bookings: what a client was told is true, and nothing is stuck between two states."""

from datetime import timedelta
from uuid import UUID

from rihla_verifier.findings import Check, Evidence

PATIENCE = timedelta(minutes=1)


async def _acknowledged_is_there(evidence: Evidence) -> list[str]:
    told = {UUID(one.id): one for one in evidence.history if one.deed == "book" and one.accepted}
    rows = await evidence.databases.rows(
        "booking",
        "SELECT id, reference FROM booking WHERE id = ANY($1::uuid[]) AND state NOT IN ('placing', 'refused')",
        list(told),
    )
    found = {row["id"]: row["reference"] for row in rows}
    return [
        f"a client was told of booking {one.reference} ({booking_id}), which is {found.get(booking_id, 'not there')}"
        for booking_id, one in told.items()
        if found.get(booking_id) != one.reference
    ]


async def _refused_left_nothing(evidence: Evidence) -> list[str]:
    bookings = await evidence.databases.rows(
        "booking",
        "SELECT k.key, b.id, b.state FROM idempotency_key k JOIN booking b ON b.id = k.resource_id "
        "WHERE k.key = ANY($1::text[]) AND b.state <> 'refused'",
        _refused_for_good(evidence, ("book", "book-other")),
    )
    payments = await evidence.databases.rows(
        "payment",
        "SELECT k.key, p.id, p.status FROM idempotency_key k JOIN payment p ON p.id = k.resource_id "
        "WHERE k.key = ANY($1::text[]) AND p.status <> 'failed'",
        _refused_for_good(evidence, ("pay", "top-up")),
    )
    messages = await evidence.databases.rows(
        "chat",
        "SELECT client_id, id FROM message WHERE client_id = ANY($1::text[])",
        _refused_for_good(evidence, ("say",)),
    )
    return (
        [f"key {row['key']} was refused and left booking {row['id']} {row['state']}" for row in bookings]
        + [f"key {row['key']} was refused and left payment {row['id']} {row['status']}" for row in payments]
        + [f"key {row['client_id']} was refused and left message {row['id']}" for row in messages]
    )


def _refused_for_good(evidence: Evidence, deeds: tuple[str, ...]) -> list[str]:
    """Keys under which clients were told no, and never yes."""
    mine = [one for one in evidence.history if one.deed in deeds and one.key]
    return sorted({one.key for one in mine if one.refused} - {one.key for one in mine if one.accepted})


async def _one_effect_a_key(evidence: Evidence) -> list[str]:
    by_key: dict[str, set[str]] = {}
    for one in evidence.history:
        if one.accepted and one.key and one.deed in ("book", "pay", "say"):
            by_key.setdefault(f"{one.deed} {one.key}", set()).add(one.id)
    found = [f"key {key} answered with {len(ids)} different ids" for key, ids in by_key.items() if len(ids) > 1]
    for service in ("booking", "payment"):
        rows = await evidence.databases.rows(
            service,
            "SELECT resource_id, count(*) AS keys FROM idempotency_key "
            "WHERE scope LIKE '% POST /v1/bookings' OR scope LIKE '% POST /v1/payments' "
            "GROUP BY scope, resource_id HAVING count(*) > 1",
        )
        found += [f"{service}: {row['keys']} keys share the effect {row['resource_id']}" for row in rows]
    return found


async def _nothing_stuck(evidence: Evidence) -> list[str]:
    rows = await evidence.databases.rows(
        "booking",
        "SELECT id, state, step FROM booking WHERE (state = 'placing' AND lease_until < $1) "
        "OR (state = 'pending_payment' AND step IS NULL AND payment_required_by < $1)",
        evidence.now - PATIENCE,
    )
    errands = await evidence.databases.rows(
        "booking", "SELECT kind, booking_id, attempts FROM errand WHERE created_at < $1", evidence.now - PATIENCE
    )
    payments = await evidence.databases.rows(
        "payment",
        "SELECT id, status FROM payment WHERE status = 'processing' AND lease_until < $1",
        evidence.now - PATIENCE,
    )
    holds = await evidence.databases.rows(
        "flight", "SELECT id FROM hold WHERE status = 'held' AND expires_at < $1", evidence.now - PATIENCE
    )
    return (
        [f"booking {row['id']} is still {row['state']} ({row['step'] or 'no step'})" for row in rows]
        + [f"errand {row['kind']} of booking {row['booking_id']}: {row['attempts']} attempts" for row in errands]
        + [f"payment {row['id']} is still {row['status']}" for row in payments]
        + [f"hold {row['id']} expired and still keeps its seats" for row in holds]
    )


async def _sequences(evidence: Evidence) -> list[str]:
    rows = await evidence.databases.rows(
        "booking",
        "SELECT flight_id, count(*) AS given, count(DISTINCT sequence) AS different, max(sequence) AS highest "
        "FROM check_in GROUP BY flight_id",
    )
    active = await evidence.databases.rows(
        "booking",
        "SELECT coupon_id FROM check_in WHERE state = 'active' GROUP BY coupon_id HAVING count(*) > 1",
    )
    return [
        f"flight {row['flight_id']} gave {row['given']} check-in numbers, {row['different']} different ones"
        for row in rows
        if row["given"] != row["different"]
    ] + [f"coupon {row['coupon_id']} is checked in twice" for row in active]


BOOKINGS = (
    Check("told is true", "every booking a client was told of is there", ("booking",), _acknowledged_is_there),
    Check(
        "refused is nothing", "no refusal left anything behind", ("booking", "payment", "chat"), _refused_left_nothing
    ),
    Check("one effect a key", "an idempotency key has one effect", ("booking", "payment"), _one_effect_a_key),
    Check("nothing stuck", "every step that began has ended", ("booking", "payment", "flight"), _nothing_stuck),
    Check("check-in numbers", "a flight's check-in numbers never repeat", ("booking",), _sequences),
)
