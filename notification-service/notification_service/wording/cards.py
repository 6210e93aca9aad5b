"""The cards a mail shows, from the facts of a notice. Pure: facts are the event's data as JSON."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from notification_service.wording.catalogue import Catalogue
from notification_service.wording.formats import local_time_in, money_in, place_name, utc_time_in
from notification_service.wording.kinds import Block
from notification_service.wording.message import Card, Row

Facts = Mapping[str, Any]


def cards_of(words: Catalogue, blocks: tuple[Block, ...], facts: Facts) -> tuple[Card, ...]:
    """The cards of these blocks; a block without facts gives none."""
    return tuple(card for block in blocks for card in _MAKERS[block](words, facts))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _flights(words: Catalogue, facts: Facts) -> list[Card]:
    return [_flight_card(words, segment) for segment in facts.get("segments", ())]


def _one_flight(words: Catalogue, facts: Facts) -> list[Card]:
    """The flight the news is about: from the flight event itself, or the segment of a booking event."""
    if "origin" in facts and "departure_at" in facts:
        return [_flight_card(words, facts)]
    wanted = facts.get("flight_id")
    return [_flight_card(words, one) for one in facts.get("segments", ()) if one["flight_id"] == wanted]


def _flight_card(words: Catalogue, flight: Facts) -> Card:
    local = words.label("local_time")
    rows = [
        Row(words.label("from"), place_name(flight["origin"])),
        Row(words.label("departs"), f"{local_time_in(words.language, _instant(flight['departure_at']))} ({local})"),
        Row(words.label("to"), place_name(flight["destination"])),
        Row(words.label("arrives"), f"{local_time_in(words.language, _instant(flight['arrival_at']))} ({local})"),
    ]
    if flight.get("cabin"):
        rows.append(Row(words.label("cabin"), words.text("cabin", flight["cabin"])))
    rows += [Row(words.label(name), str(flight[name])) for name in ("terminal", "gate") if flight.get(name)]
    airline = flight.get("airline_name") or flight.get("airline", "")
    return Card(f"{flight['flight_number']} {airline}".strip(), tuple(rows))


def _passengers(words: Catalogue, facts: Facts) -> list[Card]:
    numbers = {one["flight_id"]: one["flight_number"] for one in facts.get("segments", ())}
    cards = []
    for person in facts.get("passengers", ()):
        seats = [
            f"{numbers[coupon['flight_id']]} {coupon['seat']}"
            for coupon in person.get("coupons", ())
            if coupon.get("seat") and coupon["flight_id"] in numbers
        ]
        rows = []
        if person.get("e_ticket_number"):
            rows.append(Row(words.label("e_ticket"), person["e_ticket_number"]))
        if seats:
            rows.append(Row(words.label("seat"), ", ".join(seats)))
        cards.append(Card(f"{person['given_name']} {person['surname']}", tuple(rows)))
    return cards


def _total(words: Catalogue, facts: Facts) -> list[Card]:
    amount = money_in(words.language, facts["total_minor"], facts["currency"])
    return [Card(words.label("total"), (Row(words.label("total"), amount),))]


def _refund(words: Catalogue, facts: Facts) -> list[Card]:
    currency = facts["currency"]
    rows = [Row(words.label("refund"), money_in(words.language, facts.get("refund_minor", 0), currency))]
    if facts.get("fee_minor"):
        rows.append(Row(words.label("fee"), money_in(words.language, facts["fee_minor"], currency)))
    return [Card(words.label("refund"), tuple(rows))]


def _device(words: Catalogue, facts: Facts) -> list[Card]:
    rows = [Row(words.label("when"), utc_time_in(words.language, _instant(facts["occurred_at"])))]
    if facts.get("device"):
        rows.append(Row(words.label("device"), facts["device"]))
    if facts.get("client_ip"):
        rows.append(Row(words.label("address"), facts["client_ip"]))
    return [Card(words.label("when"), tuple(rows))]


_MAKERS: dict[Block, Callable[[Catalogue, Facts], list[Card]]] = {
    "flights": _flights,
    "flight": _one_flight,
    "passengers": _passengers,
    "total": _total,
    "refund": _refund,
    "device": _device,
}
