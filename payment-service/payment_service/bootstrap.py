"""Where settings become engines and clients."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from payment_service.payments.booking_client import BookingClient
from payment_service.payments.desk import PaymentDesk
from payment_service.payments.pay import Till
from payment_service.providers.interface import Provider
from payment_service.providers.paymob import PaymobProvider
from payment_service.providers.registry import Providers
from payment_service.providers.sandbox import SandboxProvider
from payment_service.providers.stripe import StripeProvider
from payment_service.saved_methods.vault import Vault
from payment_service.settings import Settings, several
from payment_service.subscriptions.seat_plan_client import SeatPlanClient
from payment_service.subscriptions.seats import Seats
from rihla.auth import TokenSigner
from rihla.db import Database
from rihla.encryption import DataCipher
from rihla.http import ServiceClient
from rihla.kernel import Clock
from rihla.messaging import Broker


@dataclass(frozen=True, slots=True)
class Transports:
    """Where a test puts another end of the wire, by provider name or `booking`."""

    by_target: Mapping[str, httpx.AsyncBaseTransport]


@dataclass(frozen=True, slots=True)
class Container:
    """What routes and worker loops use."""

    settings: Settings
    clock: Clock
    db: Database
    broker: Broker
    providers: Providers
    booking: BookingClient
    till: Till
    desk: PaymentDesk
    seats: Seats
    vault: Vault


@asynccontextmanager
async def open_container(
    settings: Settings, clock: Clock, transports: Transports | None = None
) -> AsyncIterator[Container]:
    """Open everything, and close it again at the end."""
    other_ends = transports.by_target if transports else {}
    db = Database(settings.database_url, pool_size=settings.db_pool_size, application_name="payment")
    broker = await Broker.connect(settings.amqp_url, namespace=settings.namespace, service="payment")
    found = _providers(settings, other_ends)
    keepers = {name: one.methods for name, one in found.items() if isinstance(one, StripeProvider)}
    providers = Providers(found, keepers)
    to_booking = ServiceClient(
        settings.booking_url,
        audience="booking",
        signer=TokenSigner(settings.service_key.get_secret_value()),
        timeout=settings.booking_timeout_seconds,
        transport=other_ends.get("booking"),
    )
    booking = BookingClient(to_booking)
    desk = PaymentDesk(db, clock)
    vault = Vault(db, clock, providers, DataCipher(settings.encryption_keys()))
    till = Till(db, clock, providers, booking, settings.coin_values_minor, settings.sandbox_open, desk, vault)
    seats = Seats(db, clock, SeatPlanClient(to_booking))
    try:
        yield Container(settings, clock, db, broker, providers, booking, till, desk, seats, vault)
    finally:
        await desk.close()
        await booking.close()
        await providers.close()
        await broker.close()
        await db.close()


def _providers(settings: Settings, other_ends: Mapping[str, httpx.AsyncBaseTransport]) -> dict[str, Provider]:
    """The providers that are configured."""
    found: dict[str, Provider] = {}
    if settings.sandbox_url:
        found["sandbox"] = SandboxProvider(
            settings.sandbox_url,
            api_key=settings.sandbox_api_key.get_secret_value(),
            webhook_secrets=several(settings.sandbox_webhook_secret),
            timeout=settings.provider_timeout_seconds,
            transport=other_ends.get("sandbox"),
        )
    if settings.stripe_api_key is not None:
        found["stripe"] = StripeProvider(
            settings.stripe_url,
            api_key=settings.stripe_api_key.get_secret_value(),
            webhook_secrets=several(settings.stripe_webhook_secret),
            public_url=settings.public_url,
            timeout=settings.provider_timeout_seconds,
            transport=other_ends.get("stripe"),
        )
    if settings.paymob_secret_key is not None:
        found["paymob"] = PaymobProvider(
            settings.paymob_url,
            secret_key=settings.paymob_secret_key.get_secret_value(),
            public_key=settings.paymob_public_key,
            integration_ids=[int(name) for name in settings.paymob_integration_ids.split(",") if name.strip()],
            hmac_secrets=several(settings.paymob_hmac_secret),
            callback_url=f"{settings.public_url}/v1/webhooks/paymob",
            public_url=settings.public_url,
            timeout=settings.provider_timeout_seconds,
            transport=other_ends.get("paymob"),
        )
    return found
