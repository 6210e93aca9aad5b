"""Messages: nothing waits to be told, and a confirmation went out once."""

from datetime import timedelta

from rihla_verifier.findings import Check, Evidence

PATIENCE = timedelta(minutes=1)


async def _outboxes_are_empty(evidence: Evidence) -> list[str]:
    found: list[str] = []
    for service in sorted(evidence.databases.connections):
        there = await evidence.databases.rows(service, "SELECT 1 WHERE to_regclass('outbox') IS NOT NULL")
        if not there:
            continue
        rows = await evidence.databases.rows(
            service, "SELECT type, id, last_error FROM outbox WHERE created_at < $1", evidence.now - PATIENCE
        )
        found += [f"{service}: {row['type']} {row['id']} waits ({row['last_error'] or 'never tried'})" for row in rows]
    return found


async def _confirmed_once(evidence: Evidence) -> list[str]:
    confirmed = await evidence.databases.rows(
        "booking",
        "SELECT id, reference, state FROM booking WHERE confirmed_at < $1 AND state <> 'refused'",
        evidence.now - PATIENCE,
    )
    mails = await evidence.databases.rows(
        "notification",
        "SELECT n.booking_id, count(DISTINCT d.message_id) AS ids, count(*) FILTER (WHERE d.state = 'sent') AS sent "
        "FROM notice n JOIN delivery d ON d.notice_id = n.id AND d.channel = 'email' "
        "WHERE n.kind = 'booking_confirmed' GROUP BY n.booking_id",
    )
    cancellations = await evidence.databases.rows(
        "notification",
        "SELECT DISTINCT n.booking_id FROM notice n JOIN delivery d ON d.notice_id = n.id AND d.channel = 'email' "
        "WHERE n.kind LIKE 'booking_cancelled%' AND d.state = 'sent'",
    )
    called_off = {row["booking_id"] for row in cancellations}
    by_booking = {row["booking_id"]: row for row in mails}
    found: list[str] = []
    for booking in confirmed:
        mail = by_booking.get(booking["id"])
        if mail is None and booking["state"] == "cancelled" and booking["id"] in called_off:
            # The cancellation arrived first: nobody is told after it that the booking is confirmed.
            continue
        if mail is None:
            found.append(f"booking {booking['reference']} was confirmed and nobody was told")
        elif mail["ids"] != 1 or mail["sent"] != 1:
            found.append(f"booking {booking['reference']}: {mail['ids']} Message-IDs, {mail['sent']} sent")
    return found


MESSAGES = (
    Check("outboxes drained", "no event waits longer than a minute", ("booking", "payment"), _outboxes_are_empty),
    Check(
        "confirmed once",
        "each confirmation went out under one Message-ID",
        ("booking", "notification"),
        _confirmed_once,
    ),
)
