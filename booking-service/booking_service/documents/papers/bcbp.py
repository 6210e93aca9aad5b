"""The bar-coded boarding pass, IATA Resolution 792, one leg: the text that Aztec and PDF417 symbols carry.

Layout: 60 mandatory characters, an optional conditional part, an optional security field (`^`, type, length in two hex
digits, data). What the security data signs is everything before the `^`.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from booking_service.documents.papers.romanise import latin_name

MANDATORY_LENGTH: Final = 60
_NAME_LENGTH: Final = 20
_MAX_FIELD: Final = 0xFF


class UnreadableBarCode(ValueError):
    """The text is not a one-leg boarding pass of Resolution 792; the message says which field is wrong."""


@dataclass(frozen=True, slots=True)
class BoardingPassCode:
    """One passenger on one flight as the bar code says it. `day_of_year` is 1-366; the year is not in the code."""

    name: str
    reference: str
    origin: str
    destination: str
    carrier: str
    flight_number: str
    day_of_year: int
    compartment: str
    seat: str
    sequence: str
    passenger_status: str = "1"
    electronic_ticket: bool = True
    conditional: str = ""
    security_type: str = ""
    security_data: str = ""

    def signed_part(self) -> str:
        """The text a signature covers: all before the security field."""
        return _mandatory(self) + _conditional(self)

    def with_security(self, data: str, kind: str = "1") -> "BoardingPassCode":
        """The same pass with a security field; ValueError when the data are longer than two hex digits can say."""
        if not data or len(data) > _MAX_FIELD or len(kind) != 1:
            raise ValueError("security data must have 1 to 255 characters and a type of one character")
        return replace(self, security_type=kind, security_data=data)

    def encode(self) -> str:
        """The whole text of the symbol. Raises ValueError when a field does not fit."""
        security = (
            f"^{self.security_type}{len(self.security_data):02X}{self.security_data}" if self.security_data else ""
        )
        return self.signed_part() + security

    def flight_date(self, near: date) -> date:
        """The date nearest to `near` that has this day of the year (the code carries no year)."""
        candidates = [
            date(year, 1, 1) + timedelta(days=self.day_of_year - 1)
            for year in (near.year - 1, near.year, near.year + 1)
        ]
        return min(candidates, key=lambda day: abs((day - near).days))


def name_field(surname: str, given_name: str) -> str:
    """`SURNAME/GIVEN` in A-Z, cut to 20: the given name gives way first, but keeps at least one letter."""
    family = latin_name(surname) or "X"
    given = latin_name(given_name)
    if not given:
        return family[:_NAME_LENGTH]
    room = _NAME_LENGTH - 1 - len(family)
    if room < 1:
        family, room = family[: _NAME_LENGTH - 2], 1
    return f"{family}/{given[:room]}".rstrip()


def seat_field(designator: str | None) -> str:
    """`12A` as `012A`; a passenger without a seat of their own (a lap infant) is `INF `."""
    if designator is None:
        return "INF "
    return f"{designator[:-1]:0>3}{designator[-1]}"


def number_field(flight_number: str) -> str:
    """The digits of `RQ101` as `0101 `; an operational suffix letter takes the fifth place."""
    digits = "".join(sign for sign in flight_number if sign.isdigit())
    suffix = flight_number[-1] if flight_number[-1].isalpha() else " "
    return f"{digits:0>4}{suffix}"


def sequence_field(sequence: int) -> str:
    """The check-in sequence `25` as `0025 `."""
    return f"{sequence:04d} "


def _fit(value: str, length: int, field: str) -> str:
    if len(value) > length or not value.isascii():
        raise ValueError(f"{field} does not fit into {length} characters of ASCII")
    return value.ljust(length)


def _mandatory(code: BoardingPassCode) -> str:
    return "".join(
        (
            "M1",
            _fit(code.name, _NAME_LENGTH, "name"),
            "E" if code.electronic_ticket else " ",
            _fit(code.reference, 7, "reference"),
            _fit(code.origin, 3, "origin"),
            _fit(code.destination, 3, "destination"),
            _fit(code.carrier, 3, "carrier"),
            _fit(code.flight_number, 5, "flight number"),
            f"{code.day_of_year:03d}",
            _fit(code.compartment, 1, "compartment"),
            _fit(code.seat, 4, "seat"),
            _fit(code.sequence, 5, "sequence"),
            _fit(code.passenger_status, 1, "passenger status"),
        )
    )


def _conditional(code: BoardingPassCode) -> str:
    if len(code.conditional) > _MAX_FIELD:
        raise ValueError("the conditional part is longer than 255 characters")
    return f"{len(code.conditional):02X}{code.conditional}"


def decode(text: str) -> BoardingPassCode:
    """Read a one-leg pass. Raises UnreadableBarCode; never guesses."""
    if len(text) < MANDATORY_LENGTH or not text.startswith("M1"):
        raise UnreadableBarCode("not a one-leg pass: it must begin with M1 and have at least 60 characters")
    try:
        day, length = int(text[44:47]), int(text[58:60], 16)
    except ValueError as problem:
        raise UnreadableBarCode("the day of the year or the length of the conditional part is no number") from problem
    if not 1 <= day <= 366:
        raise UnreadableBarCode("the day of the year is outside 1-366")
    end = MANDATORY_LENGTH + length
    if len(text) < end:
        raise UnreadableBarCode("the conditional part is cut short")
    kind, data = _read_security(text[end:])
    return BoardingPassCode(
        name=text[2:22].rstrip(),
        electronic_ticket=text[22] == "E",
        reference=text[23:30].rstrip(),
        origin=text[30:33],
        destination=text[33:36],
        carrier=text[36:39].rstrip(),
        flight_number=text[39:44],
        day_of_year=day,
        compartment=text[47],
        seat=text[48:52],
        sequence=text[52:57],
        passenger_status=text[57],
        conditional=text[MANDATORY_LENGTH:end],
        security_type=kind,
        security_data=data,
    )


def _read_security(rest: str) -> tuple[str, str]:
    if not rest:
        return "", ""
    if len(rest) < 4 or rest[0] != "^":
        raise UnreadableBarCode("what follows the conditional part is not a security field")
    try:
        length = int(rest[2:4], 16)
    except ValueError as problem:
        raise UnreadableBarCode("the length of the security field is no number") from problem
    data = rest[4:]
    if len(data) != length:
        raise UnreadableBarCode("the security field has another length than it says")
    return rest[1], data
