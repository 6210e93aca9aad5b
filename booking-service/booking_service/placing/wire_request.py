"""The body of POST /v1/bookings read by msgspec, for the hot path. `schemas.BookingRequest` says what is accepted and
answers for every refusal; this reads only what it is sure that model reads alike, and leaves the rest to it.
"""

import re
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from booking_service.placing.order import ChosenExtra, ChosenSeat, Order, Passport, Traveller, Visa
from booking_service.placing.ssr import SSR_CODES
from rihla.kernel import new_id

_Text200 = Annotated[str, Meta(max_length=200)]
_EMAIL = re.compile(r"[a-z0-9]+(?:[._+-][a-z0-9]+)*@(?:[a-z0-9]{1,30}(?:-[a-z0-9]{1,30})?\.){1,5}[a-z]{2,20}")
_LONGEST_EMAIL, _LONGEST_LOCAL = 150, 64
# What the e-mail validator refuses by name (RFC 6761 and others).
_NO_DOMAINS = ("arpa", "invalid", "local", "localhost", "onion", "test")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_PASSPORT = re.compile(r"[A-Z0-9]{5,20}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}")
_DESIGNATOR = re.compile(r"[1-9][0-9]?[A-Z]")


class NotSure(Exception):
    """The documented model must look."""


class _Contact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: str
    phone: str | None = None
    locale: str = "en"


class _Passport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    number: str
    issuing_country: str
    nationality: str
    expires_on: date


class _Visa(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    country: str
    expires_on: date


class _Seat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    flight_id: UUID
    designator: str


class _Extra(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    code: Annotated[str, Meta(min_length=1, max_length=32)]
    flight_id: UUID | None = None
    quantity: Annotated[int, Meta(ge=1, le=9)] = 1


class _PassengerContact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: str | None = None
    phone: str | None = None


class _Passenger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    type: Literal["adult", "child", "infant", "senior", "student"] = "adult"
    title: Literal["mr", "mrs", "ms", "miss", "mx", "dr", "mstr", "prof"] | None = None
    given_name: _Text200
    surname: _Text200
    date_of_birth: date
    gender: Literal["female", "male", "unspecified", "undisclosed"] | None = None
    passport: _Passport | None = None
    visas: Annotated[list[_Visa], Meta(max_length=5)] = []
    contact: _PassengerContact | None = None
    seats: Annotated[list[_Seat], Meta(max_length=24)] = []
    seat_preference: Literal["window", "aisle", "middle"] | None = None
    ssr: Annotated[list[str], Meta(max_length=8)] = []
    extra_bags: Annotated[int, Meta(ge=0, le=9)] = 0
    extras: Annotated[list[_Extra], Meta(max_length=20)] = []


class _Booking(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    offer_id: Annotated[str, Meta(min_length=1, max_length=4096)]
    contact: _Contact
    passengers: Annotated[list[_Passenger], Meta(max_length=100)]
    promo_code: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    subscription_id: UUID | None = None
    metadata: dict[str, str] = {}


_decoder = msgspec.json.Decoder(_Booking)


def read_order(body: bytes) -> Order:
    """The order in `body`. NotSure when the documented model has to read it."""
    try:
        wanted = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotSure from error
    contact = wanted.contact
    if wanted.metadata:
        raise NotSure
    return Order(
        offer_id=_plain(wanted.offer_id),
        travellers=tuple([_traveller(one) for one in wanted.passengers]),
        contact_email=_email(contact.email),
        contact_phone=None if contact.phone is None else _fits(_PHONE, contact.phone),
        locale=_fits(_LOCALE, contact.locale),
        promo_code=None if wanted.promo_code is None else _plain(wanted.promo_code).upper(),
        subscription_id=wanted.subscription_id,
        metadata={},
    )


def _traveller(one: _Passenger) -> Traveller:
    contact = one.contact
    return Traveller(
        id=new_id(),
        type=one.type,
        title=one.title,
        given_name=_plain(one.given_name),
        surname=_plain(one.surname),
        date_of_birth=one.date_of_birth,
        gender=one.gender,
        passport=None if one.passport is None else _passport(one.passport),
        visas=tuple([Visa(country=_fits(_COUNTRY, v.country), expires_on=v.expires_on) for v in one.visas]),
        email=None if contact is None or contact.email is None else _email(contact.email),
        phone=None if contact is None or contact.phone is None else _fits(_PHONE, contact.phone),
        seats=tuple(
            [ChosenSeat(flight_id=s.flight_id, designator=_fits(_DESIGNATOR, s.designator)) for s in one.seats]
        ),
        seat_preference=one.seat_preference,
        ssr=tuple(dict.fromkeys(map(_ssr, one.ssr))),
        extra_bags=one.extra_bags,
        extras=tuple(
            [ChosenExtra(code=_plain(e.code), flight_id=e.flight_id, quantity=e.quantity) for e in one.extras]
        ),
    )


def _passport(one: _Passport) -> Passport:
    return Passport(
        number=_fits(_PASSPORT, one.number),
        issuing_country=_fits(_COUNTRY, one.issuing_country),
        nationality=_fits(_COUNTRY, one.nationality),
        expires_on=one.expires_on,
    )


def _plain(text: str) -> str:
    """Nothing the model would strip, and nothing two libraries may see differently."""
    if not text.isprintable() or text != text.strip():
        raise NotSure
    return text


def _fits(pattern: re.Pattern[str], text: str) -> str:
    if pattern.fullmatch(text) is None:
        raise NotSure
    return text


def _ssr(code: str) -> str:
    if code not in SSR_CODES:
        raise NotSure
    return code


def _email(address: str) -> str:
    _fits(_EMAIL, address)
    local, _, domain = address.partition("@")
    if len(address) > _LONGEST_EMAIL or len(local) > _LONGEST_LOCAL or domain.rpartition(".")[2] in _NO_DOMAINS:
        raise NotSure
    return address
