"""What a boarding pass prints, for one passenger on one flight."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PassSheet:
    """`code_svg` is the Aztec symbol, `strip_svg` the same text as PDF417."""

    title: str
    name: str
    latin: str
    reference: str
    e_ticket_number: str
    airline: str
    flight_number: str
    origin: str
    origin_name: str
    destination: str
    destination_name: str
    departure_date: str
    departure_time: str
    boarding: str
    gate_closes: str
    terminal: str
    gate: str
    seat: str
    cabin: str
    group: str
    sequence: str
    requests: str
    code_svg: str
    strip_svg: str
    keywords: tuple[str, ...]


def boarding_group(cabin: str, seat: str | None) -> str:
    """Premium cabins board first, then economy from the back, window to aisle being too slow to police at a gate."""
    premium = {"first": "1", "business": "1", "premium_economy": "2"}
    if cabin in premium:
        return premium[cabin]
    row = int("".join(sign for sign in seat or "" if sign.isdigit()) or 0)
    return "3" if row >= 20 else "4" if row >= 10 else "5"
