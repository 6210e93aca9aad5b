"""Every public route on one page: where it goes, who may call it, what it may cost.

The longest prefix that ends at a segment wins. A path must also be in its service's OpenAPI document (that is where
404 and 405 come from); `methods` names the few that documents cannot list. Nothing under `/internal` appears here,
so nothing there is reachable.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB


class Who(Enum):
    """Who may call. Services check again: this is the first of two locks, never the only one."""

    ANYONE = "anyone"
    """No credential needed; one that is sent must be valid."""
    VISITOR = "visitor"
    """As ANYONE, but a stale credential is ignored: people sign in with an expired token still in hand."""
    SIGNED_IN = "signed in"
    STAFF = "support or admin"
    PROVIDER = "provider"
    """Payment providers sign their messages; credentials are neither read nor passed on."""


class Limits(Enum):
    """Which bucket pays (`gateway.limits.quotas`). STANDARD is READ for safe methods and WRITE for the others."""

    STANDARD = "standard"
    READ = "read"
    SIGN_IN = "sign-in"
    SESSION = "session"
    WEBHOOK = "webhook"


class Importance(Enum):
    """Who is turned away first when the gateway or a service is full: SEARCH, then NORMAL, then MONEY."""

    SEARCH = 0
    NORMAL = 1
    MONEY = 2


class WithoutRedis(Enum):
    """What limits do while Redis is gone."""

    LOCAL = "local"
    """Each gateway process counts for itself."""
    OPEN = "open"
    """Not limited: refusing would lose something the sender may never send again."""


@dataclass(frozen=True, slots=True)
class Route:
    """One row. `timeout` in seconds without an answer from the service, `body` the largest request body in bytes,
    `cache` seconds an answer of 200 may be given again to everyone (0: never)."""

    prefix: str
    upstream: str
    who: Who
    limits: Limits = Limits.STANDARD
    importance: Importance = Importance.NORMAL
    timeout: float = 10.0
    body: int = 256 * KIB
    cache: int = 0
    without_redis: WithoutRedis = WithoutRedis.LOCAL
    in_maintenance: bool = False
    methods: frozenset[str] | None = None
    websocket: bool = False
    hands_on: tuple[str, ...] = ()
    """Other services that this one may read from for the caller, within the minute of the request: it is sent a token
    for each of them too, good for reading alone, in `X-Internal-<Name>-Authorization`."""
    scope: str = ""
    """What a partner's key needs where callers must be known: `<scope>:read` or `<scope>:write`. Empty: people only."""


_A, _V, _S, _STAFF, _P = Who.ANYONE, Who.VISITOR, Who.SIGNED_IN, Who.STAFF, Who.PROVIDER
_SEARCH, _MONEY = Importance.SEARCH, Importance.MONEY
_POST, _GET = frozenset({"POST"}), frozenset({"GET"})

# fmt: off
ROUTES: Final[tuple[Route, ...]] = (
    # ---- auth-service
    Route("/.well-known/jwks.json",       "auth",    _A, Limits.READ,    cache=60, in_maintenance=True),
    Route("/v1/auth",                     "auth",    _V, Limits.SIGN_IN, body=64 * KIB),
    Route("/v1/auth/refresh",             "auth",    _V, Limits.SESSION, body=64 * KIB),
    Route("/v1/auth/logout",              "auth",    _V, Limits.SESSION, body=64 * KIB),
    Route("/v1/me",                       "auth",    _S),
    Route("/v1/me/export",                "auth",    _S,   timeout=30,
          hands_on=("booking", "payment", "notification", "chat")),
    Route("/v1/admin/users",              "auth",    _STAFF),
    Route("/v1/admin/organisations",      "auth",    _STAFF),
    Route("/v1/admin/audit-log",          "auth",    _STAFF),
    # ---- flight-service
    Route("/v1/airports",                 "flight",  _A, importance=_SEARCH, cache=60),
    Route("/v1/cities",                   "flight",  _A, importance=_SEARCH, cache=60),
    Route("/v1/countries",                "flight",  _A, importance=_SEARCH, cache=60),
    Route("/v1/airlines",                 "flight",  _A, importance=_SEARCH, cache=60),
    Route("/v1/aircraft",                 "flight",  _A, importance=_SEARCH, cache=60),
    Route("/v1/flights",                  "flight",  _A, importance=_SEARCH),
    Route("/v1/flight-offers",            "flight",  _A, Limits.READ, _SEARCH),
    Route("/v1/price-calendar",           "flight",  _A, importance=_SEARCH),
    Route("/v1/admin/airports",           "flight",  _STAFF),
    Route("/v1/admin/cities",             "flight",  _STAFF),
    Route("/v1/admin/countries",          "flight",  _STAFF),
    Route("/v1/admin/airlines",           "flight",  _STAFF),
    Route("/v1/admin/aircraft",           "flight",  _STAFF),
    Route("/v1/admin/schedules",          "flight",  _STAFF, timeout=60),
    Route("/v1/admin/flights",            "flight",  _STAFF),
    Route("/v1/admin/fares",              "flight",  _STAFF),
    Route("/v1/admin/fare-rules",         "flight",  _STAFF),
    Route("/v1/admin/currency-rates",     "flight",  _STAFF),
    Route("/v1/admin/flash-sales",        "flight",  _STAFF),
    Route("/v1/admin/audit",              "flight",  _STAFF),
    # ---- booking-service
    Route("/v1/booking-quotes",           "booking", _S, importance=_MONEY, timeout=15, scope="bookings"),
    Route("/v1/bookings",                 "booking", _S, importance=_MONEY, timeout=30, scope="bookings"),
    Route("/v1/bookings/lookup",          "booking", _A, timeout=15),
    Route("/v1/boarding-pass-keys",       "booking", _A),
    Route("/v1/admin/bookings",           "booking", _STAFF, timeout=30),
    # ---- payment-service
    Route("/v1/payments",                 "payment", _S, importance=_MONEY, timeout=30, scope="payments"),
    Route("/v1/payment-methods",          "payment", _S, importance=_MONEY, timeout=30),
    Route("/v1/webhooks",                 "payment", _P, Limits.WEBHOOK, _MONEY, timeout=20,
          without_redis=WithoutRedis.OPEN, in_maintenance=True, methods=_POST),
    Route("/v1/wallet",                   "payment", _S, importance=_MONEY, timeout=30, scope="payments"),
    Route("/v1/subscription-plans",       "payment", _A, cache=60),
    Route("/v1/subscriptions",            "payment", _S, importance=_MONEY, timeout=30),
    Route("/v1/promo-codes",              "payment", _A),
    Route("/v1/special-offers",           "payment", _A),
    Route("/v1/admin/subscription-plans", "payment", _STAFF),
    Route("/v1/admin/promo-codes",        "payment", _STAFF),
    Route("/v1/admin/payments",           "payment", _STAFF, timeout=30),
    Route("/v1/admin/refunds",            "payment", _STAFF, timeout=30),
    Route("/v1/admin/ledger",             "payment", _STAFF, timeout=30),
    # ---- notification-service
    Route("/v1/notifications",            "notification", _S),
    Route("/v1/notifications/ws",         "notification", _S, methods=_GET, websocket=True),
    Route("/v1/notifications/unsubscribe", "notification", _A),
    Route("/v1/devices",                  "notification", _S),
    Route("/v1/webhook-endpoints",        "notification", _S, timeout=15, scope="webhooks"),
    Route("/v1/admin/notifications",      "notification", _STAFF),
    Route("/v1/admin/deliveries",         "notification", _STAFF),
    Route("/v1/admin/templates",          "notification", _STAFF),
    # ---- chat-service
    Route("/v1/chat",                     "chat",    _S, body=20 * MIB, timeout=30),
    Route("/v1/chat/ws",                  "chat",    _S, methods=_GET, websocket=True),
    Route("/v1/chat/files",               "chat",    _A, body=11 * MIB, timeout=30),
    Route("/v1/chat/assistant",           "chat",    _S, timeout=20, hands_on=("booking",)),
    Route("/v1/support",                  "chat",    _S, body=20 * MIB, timeout=30),
    Route("/v1/support/inbound-mail",     "chat",    _P, Limits.WEBHOOK, timeout=20, body=2 * MIB,
          without_redis=WithoutRedis.OPEN),
    Route("/v1/faq",                      "chat",    _A),
    Route("/v1/admin/chat",               "chat",    _STAFF),
    Route("/v1/admin/support",            "chat",    _STAFF),
    Route("/v1/admin/faq",                "chat",    _STAFF),
)
# fmt: on

UPSTREAMS: Final[tuple[str, ...]] = ("auth", "flight", "booking", "payment", "notification", "chat")
