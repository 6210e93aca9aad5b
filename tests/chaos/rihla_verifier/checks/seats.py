"""Seats: nobody shares one, none is lost, none appears."""

from rihla_verifier.findings import Check, Evidence


async def _one_owner(evidence: Evidence) -> list[str]:
    rows = await evidence.databases.rows(
        "flight",
        "SELECT flight_id, designator, count(*) AS owners FROM hold_seat "
        "WHERE state IN ('held', 'sold') AND designator IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1",
    )
    return [f"seat {row['designator']} of flight {row['flight_id']} has {row['owners']} live owners" for row in rows]


async def _conserved(evidence: Evidence) -> list[str]:
    rows = await evidence.databases.rows(
        "flight",
        "SELECT flight_id, cabin, capacity, free_seats, held_seats, sold_seats FROM cabin_inventory "
        "WHERE free_seats + held_seats + sold_seats <> capacity OR least(free_seats, held_seats, sold_seats) < 0",
    )
    return [
        f"{row['cabin']} of flight {row['flight_id']}: {row['free_seats']} free + {row['held_seats']} held + "
        f"{row['sold_seats']} sold is not {row['capacity']}"
        for row in rows
    ]


async def _counters_tell_the_seats(evidence: Evidence) -> list[str]:
    rows = await evidence.databases.rows(
        "flight",
        "WITH seats AS (SELECT flight_id, cabin, count(*) FILTER (WHERE state = 'held') AS held, "
        "count(*) FILTER (WHERE state = 'sold') AS sold FROM hold_seat GROUP BY 1, 2) "
        "SELECT c.flight_id, c.cabin, c.held_seats, c.sold_seats, coalesce(held, 0) AS held, coalesce(sold, 0) AS sold "
        "FROM cabin_inventory c LEFT JOIN seats USING (flight_id, cabin) "
        "WHERE c.held_seats <> coalesce(held, 0) OR c.sold_seats <> coalesce(sold, 0)",
    )
    return [
        f"{row['cabin']} of flight {row['flight_id']} counts {row['held_seats']} held, {row['sold_seats']} sold; "
        f"its seats are {row['held']} held, {row['sold']} sold"
        for row in rows
    ]


async def _sold_seats_have_bookings(evidence: Evidence) -> list[str]:
    sold = await evidence.databases.rows(
        "flight", "SELECT hold_id, passenger_id, flight_id FROM hold_seat WHERE state = 'sold'"
    )
    booked = await evidence.databases.rows(
        "booking",
        "SELECT c.passenger_id, c.flight_id, p.type FROM coupon c JOIN booking b ON b.id = c.booking_id "
        "JOIN passenger p ON p.id = c.passenger_id JOIN booking_segment s ON s.id = c.segment_id "
        "WHERE b.confirmed_at IS NOT NULL AND b.step IS NULL AND c.state IN ('open', 'checked_in', 'flown') "
        "AND b.state IN ('confirmed', 'partially_cancelled', 'disrupted', 'completed') AND s.replaced_at IS NULL",
    )
    steps = await evidence.databases.rows("booking", "SELECT 1 FROM booking WHERE step IS NOT NULL LIMIT 1")
    taken = {(row["passenger_id"], row["flight_id"]) for row in sold}
    owed = {(row["passenger_id"], row["flight_id"]) for row in booked if row["type"] != "infant"}
    # While a step is under way one side is ahead of the other; after quiet there is none.
    orphans = taken - owed if not steps else set()
    missing = owed - taken
    return [f"passenger {p} has a coupon and no sold seat on flight {f}" for p, f in sorted(missing)] + [
        f"a seat of flight {f} is sold to passenger {p}, who has no live coupon" for p, f in sorted(orphans)
    ]


SEATS = (
    Check("one owner a seat", "no seat of a flight has two live owners", ("flight",), _one_owner),
    Check("seats conserved", "free + held + sold = capacity in every cabin", ("flight",), _conserved),
    Check("counters true", "each cabin's counters are the count of its seats", ("flight",), _counters_tell_the_seats),
    Check(
        "sold seats booked",
        "every sold seat belongs to a live coupon, and every live coupon has its seat",
        ("flight", "booking"),
        _sold_seats_have_bookings,
    ),
)
