"""The worker process: the outbox relay, the sender of codes, and the sweeper."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI

from auth_service.bootstrap import open_database
from auth_service.codes.notification_client import NotificationClient
from auth_service.codes.send_codes import CodeSender
from auth_service.retention.forget_old import Sweeper
from auth_service.settings import Settings
from rihla.auth import TokenSigner
from rihla.db import Database
from rihla.http import ServiceClient
from rihla.kernel import Clock, SystemClock
from rihla.messaging import Broker, OutboxRelay
from rihla.web import build_worker


@dataclass(frozen=True, slots=True)
class WorkerContainer:
    """What the loops work with."""

    db: Database
    broker: Broker
    relay: OutboxRelay
    sender: CodeSender
    sweeper: Sweeper


@asynccontextmanager
async def open_worker(
    settings: Settings, clock: Clock, client: ServiceClient | None = None
) -> AsyncIterator[WorkerContainer]:
    """Engines, broker and the client of notification-service (`client` replaces it in tests)."""
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(open_database(settings))
        broker = await Broker.connect(settings.amqp_url, namespace=settings.namespace, service="auth")
        stack.push_async_callback(broker.close)
        notification = NotificationClient(
            client
            or ServiceClient(
                settings.notification_url,
                audience="notification",
                signer=TokenSigner(settings.service_key.get_secret_value()),
            )
        )
        stack.push_async_callback(notification.close)
        yield WorkerContainer(
            db=db,
            broker=broker,
            relay=OutboxRelay(db, broker, producer="auth", clock=clock),
            sender=CodeSender(db, clock, notification, secret=settings.code_secret.get_secret_value().encode()),
            sweeper=Sweeper(db, clock),
        )


def create_worker(
    settings: Settings | None = None,
    *,
    clock: Clock | None = None,
    client: ServiceClient | None = None,
    relay: bool = True,
) -> FastAPI:
    """The worker; settings come from the environment when none are given.

    Tests replace the `client` of notification-service, and leave the `relay` out to look at events in the outbox.
    """
    settings = settings or Settings()
    return build_worker(
        settings,
        open_container=lambda: open_worker(settings, clock or SystemClock(), client),
        run=lambda c: [*([c.relay.run] if relay else []), c.sender.run, c.sweeper.run],
        checks=lambda c: {"database": c.db.check, "broker": c.broker.check},
    )
