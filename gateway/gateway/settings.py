"""What can be set from outside; every limit of the public contract is here."""

from __future__ import annotations

from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import ClassVar

from pydantic import Field

from gateway.routes import UPSTREAMS
from rihla.settings import ServiceSettings

KIB = 1024


class Settings(ServiceSettings):
    """Read from the environment; names are the fields in capitals. Limits are requests a minute, times are seconds."""

    service: ClassVar[str] = "gateway"

    token_issuer: str = Field(default="", description="`iss` of access tokens; PUBLIC_URL when empty")
    token_audience: str = "rihla"

    limit_read_per_address: int = Field(default=1200, ge=1)
    limit_read_per_user: int = Field(default=600, ge=1)
    limit_write_per_user: int = Field(default=120, ge=1)
    limit_write_per_address: int = Field(default=120, ge=1, description="Writes of people who are not signed in")
    limit_sign_in_per_address: int = Field(default=120, ge=1)
    limit_session_per_address: int = Field(default=1200, ge=1, description="Refreshing and signing out")
    limit_webhook_per_address: int = Field(default=6000, ge=1)
    limit_partner_default: int = Field(default=600, ge=1, description="For a key whose contract names none")
    limit_lease: int = Field(default=50, ge=1, description="Most tokens taken from Redis in one round trip")
    redis_timeout: float = Field(default=0.25, gt=0)

    trusted_proxies: str = Field(default="", description="Networks whose X-Forwarded-For is believed, comma-separated")
    max_header_bytes: int = Field(default=16 * KIB, ge=1 * KIB)
    header_timeout: float = Field(default=10.0, gt=0)
    body_timeout: float = Field(default=15.0, gt=0, description="For one small body, or one piece of a large one")
    send_timeout: float = Field(default=30.0, gt=0, description="A reader that takes nothing for so long is dropped")
    max_connections_per_address: int = Field(default=512, ge=1)

    max_in_flight: int = Field(default=4000, ge=1, description="Requests inside this process, those in line included")
    max_in_flight_per_instance: int = Field(default=256, ge=1)
    money_waits_seconds: float = Field(default=8.0, ge=0, description="How long a booking waits for a full service")
    connect_timeout: float = Field(default=1.0, gt=0)
    breaker_failures: int = Field(default=5, ge=1)
    breaker_open_seconds: float = Field(default=1.0, gt=0)
    probe_seconds: float = Field(default=2.0, gt=0)
    documents_seconds: float = Field(default=30.0, gt=0)
    revocation_poll_seconds: float = Field(default=2.0, gt=0, le=4)
    api_key_seconds: float = Field(default=4.0, gt=0, le=5)

    websockets_per_user: int = Field(default=5, ge=1)
    websocket_message_bytes: int = Field(default=64 * KIB, ge=1)
    websocket_messages_per_minute: int = Field(default=300, ge=1)
    websocket_max_seconds: float = Field(default=3600.0, gt=0)

    cors_origins: str = Field(default="", description="Origins of web clients, comma-separated, or `*`")
    maintenance: str = Field(
        default="", description="When set, said to everybody with 503; also Redis <namespace>:maintenance"
    )
    access_log: bool = True

    @cached_property
    def issuer(self) -> str:
        """The `iss` an access token must carry."""
        return self.token_issuer or self.public_url

    @cached_property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Networks whose forwarding headers are believed. ValueError for something that is no network."""
        return tuple(ip_network(part.strip(), strict=False) for part in self.trusted_proxies.split(",") if part.strip())

    @cached_property
    def allowed_origins(self) -> frozenset[str]:
        """Origins that may read answers in a browser."""
        return frozenset(part.strip().rstrip("/") for part in self.cors_origins.split(",") if part.strip())

    def addresses_of(self, upstream: str) -> tuple[str, ...]:
        """Base URLs of a service's instances; empty when it is not deployed."""
        value: str = getattr(self, f"{upstream}_url")
        return tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())

    @property
    def upstreams(self) -> dict[str, tuple[str, ...]]:
        """Every service with its instances."""
        return {name: self.addresses_of(name) for name in UPSTREAMS}
