"""The one place where settings become engines, senders and stores."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr

import httpx
from redis.asyncio import Redis

from notification_service.channels.opening import open_channels
from notification_service.channels.outgoing import Sender
from notification_service.codes.send_code import CodeMailer
from notification_service.delivering.compose import Composer
from notification_service.delivering.send_deliveries import DeliverySender
from notification_service.live.announcer import Announcer
from notification_service.live.watchers import Watchers
from notification_service.partner_webhooks.addresses import Addresses, Lookup, system_lookup
from notification_service.partner_webhooks.manage_endpoints import EndpointDesk
from notification_service.partner_webhooks.post import Poster
from notification_service.partner_webhooks.send_by_hand import DeliveryDesk
from notification_service.partner_webhooks.send_webhooks import WebhookSender
from notification_service.settings import Settings
from notification_service.telling.tell import Teller
from notification_service.trips.remember_placed import RememberPlaced
from notification_service.trips.tell_confirmed import TellConfirmed
from rihla.db import Database
from rihla.db.kept_connection import BY_KEY, KeptConnection
from rihla.encryption import DataCipher
from rihla.kernel import Clock
from rihla.messaging import Broker
from rihla.storage import ObjectStore, open_storage


@dataclass(frozen=True, slots=True)
class Container:
    """What deeds work with, in the API process and in the worker."""

    settings: Settings
    clock: Clock
    db: Database
    broker: Broker
    storage: ObjectStore
    senders: dict[str, Sender]
    code_mailer: CodeMailer
    teller: Teller
    announcer: Announcer
    watchers: Watchers
    web_push_key: str | None
    delivery_sender: DeliverySender
    placements: RememberPlaced
    confirmations: TellConfirmed
    mail_domain: str
    webhook_endpoints: EndpointDesk
    webhook_deliveries: DeliveryDesk
    webhook_sender: WebhookSender

    @property
    def public_url(self) -> str:
        """Where the gateway is found, without a slash at its end."""
        return self.settings.public_url.rstrip("/")


@asynccontextmanager
async def open_container(
    settings: Settings,
    clock: Clock,
    provider_transport: httpx.AsyncBaseTransport | None = None,
    lookup: Lookup = system_lookup,
) -> AsyncIterator[Container]:
    """Everything the processes need, closed at the end. Nothing is contacted yet. Tests replace providers and names."""
    async with AsyncExitStack() as stack:
        db = Database(settings.database_url, pool_size=settings.db_pool_size, application_name="notification")
        stack.push_async_callback(db.close)
        broker = await Broker.connect(settings.amqp_url, namespace=settings.namespace, service="notification")
        stack.push_async_callback(broker.close)
        storage = open_storage(
            settings.document_storage_url,
            access_key=settings.document_storage_access_key.get_secret_value(),
            secret_key=settings.document_storage_secret_key.get_secret_value(),
            clock=clock,
        )
        stack.push_async_callback(storage.close)
        channels = await open_channels(settings, clock, stack, provider_transport)
        senders = channels.senders
        redis: Redis = Redis.from_url(settings.redis_url, socket_timeout=2, socket_connect_timeout=2)
        stack.push_async_callback(redis.aclose)
        announcer = Announcer(redis, settings.namespace)
        stack.push_async_callback(announcer.close)
        domain = parseaddr(settings.mail_from)[1].rpartition("@")[2]
        composer = Composer(
            storage=storage,
            public_url=settings.public_url.rstrip("/"),
            unsubscribe_secret=settings.unsubscribe_secret.get_secret_value().encode(),
        )
        teller = Teller(domain, timedelta(seconds=settings.document_wait_seconds), announcer.announce)
        cipher = DataCipher(settings.webhook_encryption_keys())
        addresses = Addresses(lookup, local=settings.webhook_local_targets)
        poster = Poster(
            addresses,
            timeout_seconds=settings.webhook_timeout_seconds,
            parallel=settings.webhook_parallel,
            clock=clock,
        )
        stack.push_async_callback(poster.close)
        delivery_sender = DeliverySender(
            db,
            composer,
            senders,
            clock=clock,
            longest_send_seconds=settings.smtp_timeout_seconds,
            parallel=settings.smtp_connections,
        )
        # The writers of the two events that come by the hundred share one connection.
        kept = KeptConnection(db.asyncpg_pool, harmless=lambda _: False, setting_up=BY_KEY)
        stack.push_async_callback(kept.close)
        placements = RememberPlaced(kept)
        stack.push_async_callback(placements.close)
        confirmations = TellConfirmed(kept, teller, clock, delivery_sender.nudge)
        stack.push_async_callback(confirmations.close)
        yield Container(
            settings=settings,
            clock=clock,
            db=db,
            broker=broker,
            storage=storage,
            senders=senders,
            code_mailer=CodeMailer(db, clock, senders, domain),
            teller=teller,
            announcer=announcer,
            watchers=Watchers(redis, settings.namespace, most_per_user=settings.live_sockets_per_user),
            web_push_key=channels.web_push_key,
            delivery_sender=delivery_sender,
            placements=placements,
            confirmations=confirmations,
            mail_domain=domain,
            webhook_endpoints=EndpointDesk(db, clock, cipher, addresses, settings.webhook_local_targets),
            webhook_deliveries=DeliveryDesk(db, clock, settings.public_url.rstrip("/")),
            webhook_sender=WebhookSender(
                db,
                cipher,
                poster,
                teller,
                clock=clock,
                parallel=settings.webhook_parallel,
                per_endpoint=settings.webhook_parallel_per_endpoint,
            ),
        )
