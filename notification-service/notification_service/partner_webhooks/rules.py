"""What partners may hear, how a message is signed, when it is tried again, which addresses may be called. Pure.

Signature and headers follow the Standard Webhooks specification 1.0 (standardwebhooks.com).
"""

import base64
import hmac
import ipaddress
import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal
from urllib.parse import urlsplit
from uuid import UUID

EVENT_TYPES: Final[dict[str, str]] = {
    "booking.created": "Seats are held at a locked price; payment is awaited",
    "booking.confirmed": "The booking is paid and its seats are sold",
    "booking.expired": "Payment did not come in time; the seats are free again",
    "booking.cancelled": "All or a part of the booking was cancelled",
    "booking.changed": "Seats, flights, extras or passenger data changed",
    "booking.disrupted": "The airline changed a flight; the traveller decides",
    "booking.checked_in": "Passengers were checked in on a flight",
    "booking.completed": "The last flight has flown",
    "booking.documents_ready": "Tickets, receipts or boarding passes can be fetched",
    "refund.succeeded": "Money is on its way back",
    "refund.failed": "The provider refused a refund; our people look at it",
    "flight.delayed": "A flight of a booking leaves later",
    "flight.cancelled": "A flight of a booking will not operate",
    "flight.retimed": "The timetable of a flight of a booking changed",
    "flight.gate_changed": "Gate or terminal of a flight of a booking were set or changed",
}
TEST_EVENT: Final = "webhook.test"
MOST_ENDPOINTS: Final = 10
"""An organisation's, in each mode."""

_PAUSES: Final[Sequence[timedelta]] = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=20),
)
_SECRET_PREFIX = "whsec_"
_SECRET_BYTES = 32
_LONGEST_URL = 2048
# Beside what the standard library knows as not global, which differs between its versions: IETF protocol assignments
# (Oracle's metadata among them), 6to4, NAT64 and Teredo, which lead on to other addresses, and Azure's own platform.
_INSIDE: Final = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "64:ff9b::/32", "2001::/23", "2002::/16", "3fff::/20"),
    )
)

Outcome = Literal["delivered", "later", "gone", "dead"]


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose endpoints are meant: an organisation's, of one mode. `user_id` is whose key asks."""

    organisation_id: UUID
    test_mode: bool
    user_id: UUID


class UrlRefused(ValueError):
    """Not an address we post to; `code` says why in one word."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def read_url(url: str, *, local: bool) -> tuple[str, int]:
    """Host and port of an endpoint. Raises UrlRefused. `local` also allows http and other ports."""
    if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or any(mark in url for mark in " \\"):
        raise UrlRefused("malformed-url", "Give an URL of ASCII characters; names of other scripts as punycode.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UrlRefused("malformed-url", "This is not an URL.") from error
    if parts.scheme not in (("https", "http") if local else ("https",)):
        raise UrlRefused("https-required", "Give an https URL.")
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        raise UrlRefused("malformed-url", "Give an URL with a host, without user, password or fragment.")
    if not local and port not in (None, 443):
        raise UrlRefused("port-not-allowed", "Only port 443 is called.")
    return host, port or (443 if parts.scheme == "https" else 80)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public network: not this host, a private net, a cloud's metadata, a group."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        return is_public(str(ip.ipv4_mapped))
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or any(ip in net for net in _INSIDE))


def new_secret() -> str:
    """A signing secret as Standard Webhooks writes it."""
    return _SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signature(secret_texts: Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`: one signature for each secret that is valid, the newest first."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(f"v1,{_mac(one, signed)}" for one in secret_texts)


def _mac(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX))
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def judge(status: int | None, tries: int) -> Outcome:
    """What an answer means: 2xx is a yes, 410 is the end of the endpoint, all else is tried again for three days."""
    if status is not None and 200 <= status < 300:
        return "delivered"
    if status == 410:
        return "gone"
    return "dead" if tries > len(_PAUSES) else "later"


def pause_after(tries: int) -> timedelta:
    """How long after this try the next one comes: growing, a tenth of it by chance."""
    return _PAUSES[min(tries, len(_PAUSES)) - 1] * random.uniform(0.9, 1.1)
