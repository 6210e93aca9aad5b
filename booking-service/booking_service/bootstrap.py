"""Where settings become engines and clients: the one place that knows both."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from booking_service.bookings.flight_client import FlightClient
from booking_service.bookings.payment_client import PaymentClient
from booking_service.documents.parts import DocumentParts, open_documents
from booking_service.documents.rush import Rush
from booking_service.placing.desk import PlacingDesk
from booking_service.placing.saved_traveller import TravellerClient
from booking_service.settings import Settings
from rihla.auth import TokenSigner
from rihla.db import Database
from rihla.encryption import DataCipher
from rihla.http import ServiceClient
from rihla.kernel import Clock, SystemClock


@dataclass(frozen=True, slots=True)
class Container:
    """What deeds are given."""

    settings: Settings
    clock: Clock
    db: Database
    cipher: DataCipher
    flights: FlightClient
    payments: PaymentClient
    travellers: TravellerClient
    documents: DocumentParts
    rush: Rush
    placings: PlacingDesk


@dataclass(frozen=True, slots=True)
class Transports:
    """The seam for tests: how requests to other services travel. None means over the network."""

    flight: httpx.AsyncBaseTransport | None = None
    payment: httpx.AsyncBaseTransport | None = None
    auth: httpx.AsyncBaseTransport | None = None


@asynccontextmanager
async def open_container(
    settings: Settings, clock: Clock | None = None, transports: Transports | None = None
) -> AsyncIterator[Container]:
    """Everything a process of booking-service holds, closed again at the end."""
    transports = transports or Transports()
    signer = TokenSigner(settings.service_key.get_secret_value())
    db = Database(settings.database_url, pool_size=settings.db_pool_size, application_name="rihla-booking")
    flights = FlightClient(
        ServiceClient(
            settings.flight_url,
            audience="flight",
            signer=signer,
            timeout=settings.flight_timeout_seconds,
            transport=transports.flight,
        )
    )
    payments = PaymentClient(
        ServiceClient(
            settings.payment_url,
            audience="payment",
            signer=signer,
            timeout=settings.payment_timeout_seconds,
            transport=transports.payment,
        )
    )
    travellers = TravellerClient(
        ServiceClient(
            settings.auth_url,
            audience="auth",
            signer=signer,
            timeout=settings.auth_timeout_seconds,
            transport=transports.auth,
        )
    )
    clock = clock or SystemClock()
    cipher = DataCipher(settings.encryption_keys())
    placings = PlacingDesk(db)
    rush = Rush(db, settings, clock=clock)
    try:
        async with open_documents(settings, clock=clock) as documents:
            yield Container(settings, clock, db, cipher, flights, payments, travellers, documents, rush, placings)
    finally:
        await placings.close()
        await flights.close()
        await payments.close()
        await travellers.close()
        await db.close()
