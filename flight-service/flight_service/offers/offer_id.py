"""Offer ids: what an offer locks, packed in a few bytes and signed, so that an offer costs no database write.

    byte 0      format (2)
    1-4         issued at, seconds since 1970
    5           minutes it lives
    6-8         currency
    9-12        versions of the fare rules and of the currency rates
    13          brand (2 bits), test mode (1 bit), cabin (2 bits)
    14-16       adults, children, infants, seniors, students (4 bits each)
    then        for each slice the number of its segments, and for each segment
                flight number in the database (4), offer version (4), load percent (1), flash sale (4, 0: none)
    last 16     BLAKE2b of all before it, keyed (RFC 7693), 128 bits

as base64url without padding: 66 characters for one direct flight.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flight_service.catalogue.layout import CABINS, Cabin
from flight_service.fares.rule_set import BRANDS, BrandName
from rihla.kernel import DomainError

_FORMAT = 2
_HEAD = struct.Struct(">BIB3sHHBBBB")
_SEGMENT = struct.Struct(">IIBI")
_MAC_BYTES = 16
MAX_ID_LENGTH = 600


class OfferInvalid(DomainError):
    """The id was not made by us, or was altered on the way."""


@dataclass(frozen=True, slots=True)
class LockedSegment:
    """What the offer locks of one segment."""

    flight_no: int
    offer_version: int
    load_percent: int
    flash_sale_no: int = 0


@dataclass(frozen=True, slots=True)
class OfferTerms:
    """The content of an offer id. `party` counts by rule_set.PASSENGER_TYPES."""

    issued_at: datetime
    lifetime: timedelta
    currency: str
    rules_version: int
    rates_version: int
    brand: BrandName
    cabin: Cabin
    test_mode: bool
    party: tuple[int, int, int, int, int]
    slices: tuple[tuple[LockedSegment, ...], ...]

    @property
    def expires_at(self) -> datetime:
        return self.issued_at + self.lifetime


class OfferSigner:
    """Makes and reads offer ids. The first key signs, all keys verify."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise ValueError("an offer signer needs a key")
        # A key of any length becomes one of 64 bytes; the keyed states are made once and copied for each id.
        self._states = tuple(
            hashlib.blake2b(key=hashlib.sha512(key).digest(), digest_size=_MAC_BYTES, person=b"flight-offer")
            for key in keys
        )

    def encode(self, terms: OfferTerms) -> str:
        """The id of an offer with these terms; the same terms give the same id."""
        head = pack_head(terms)
        return self.seal(head + b"".join(pack_slice(segments) for segments in terms.slices))

    def seal(self, packed: bytes) -> str:
        """Sign packed terms (`pack_head` + `pack_slice`...): search packs the parts itself, since they repeat."""
        state = self._states[0].copy()
        state.update(packed)
        raw = packed + state.digest()
        return binascii.b2a_base64(raw, newline=False).rstrip(b"=").translate(_URL_SAFE).decode("ascii")

    def decode(self, offer_id: str) -> OfferTerms:
        """The terms of `offer_id`. Raises OfferInvalid for anything this service did not sign."""
        packed = self._verified(offer_id)
        try:
            return _unpack(packed)
        except (struct.error, IndexError, UnicodeDecodeError) as error:
            raise _invalid() from error

    def _verified(self, offer_id: str) -> bytes:
        if len(offer_id) > MAX_ID_LENGTH or not offer_id.isascii():
            raise _invalid()
        try:
            raw = base64.b64decode(offer_id + "=" * (-len(offer_id) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error) as error:
            raise _invalid() from error
        packed, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        good = []
        for keyed in self._states:
            state = keyed.copy()
            state.update(packed)
            good.append(hmac.compare_digest(state.digest(), mac))
        # Unused bits of the last base64 character would let one offer have several ids.
        if (
            not any(good)
            or binascii.b2a_base64(raw, newline=False).rstrip(b"=").translate(_URL_SAFE).decode() != offer_id
        ):
            raise _invalid()
        return packed


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _invalid() -> OfferInvalid:
    return OfferInvalid("This offer id is not one of ours; search again and use an id as it was given.")


def pack_head(terms: OfferTerms) -> bytes:
    """Everything before the slices."""
    flags = BRANDS.index(terms.brand) | terms.test_mode << 2 | CABINS.index(terms.cabin) << 3
    adults, children, infants, seniors, students = terms.party
    return _HEAD.pack(
        _FORMAT,
        int(terms.issued_at.timestamp()),
        int(terms.lifetime.total_seconds()) // 60,
        terms.currency.encode("ascii"),
        terms.rules_version,
        terms.rates_version,
        flags,
        adults << 4 | children,
        infants << 4 | seniors,
        students << 4,
    )


def pack_slice(segments: Sequence[LockedSegment]) -> bytes:
    """One slice: the number of its segments and each of them."""
    return bytes((len(segments),)) + b"".join([pack_segment(segment) for segment in segments])


def pack_segment(segment: LockedSegment) -> bytes:
    """One segment."""
    return _SEGMENT.pack(segment.flight_no, segment.offer_version, segment.load_percent, segment.flash_sale_no)


pack_flight = _SEGMENT.pack
"""The same from (flight_no, offer_version, load_percent, flash_sale_no)."""


def _unpack(packed: bytes) -> OfferTerms:
    form, issued, minutes, currency, rules_version, rates_version, flags, first, second, third = _HEAD.unpack_from(
        packed
    )
    if form != _FORMAT:
        raise _invalid()
    slices, at = [], _HEAD.size
    while at < len(packed):
        count = packed[at]
        at += 1
        segments = []
        for _ in range(count):
            segments.append(LockedSegment(*_SEGMENT.unpack_from(packed, at)))
            at += _SEGMENT.size
        slices.append(tuple(segments))
    return OfferTerms(
        issued_at=datetime.fromtimestamp(issued, UTC),
        lifetime=timedelta(minutes=minutes),
        currency=currency.decode("ascii"),
        rules_version=rules_version,
        rates_version=rates_version,
        brand=BRANDS[flags & 3],
        cabin=CABINS[flags >> 3 & 3],
        test_mode=bool(flags >> 2 & 1),
        party=(first >> 4, first & 15, second >> 4, second & 15, third >> 4),
        slices=tuple(slices),
    )
