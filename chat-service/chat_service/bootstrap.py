"""The one place where settings become engines, stores and clients."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from redis.asyncio import Redis

from chat_service.assistant.ask import Assistant
from chat_service.assistant.booking_client import BookingReader
from chat_service.assistant.models import ChatModel, ModelProvider, NoModel
from chat_service.attachments.addresses import Addresses, LocalAddresses, S3Addresses
from chat_service.attachments.upload import Uploads
from chat_service.live.channel import Channel
from chat_service.live.follow import Follower
from chat_service.live.hub import Hub
from chat_service.live.post_room import PostRoom
from chat_service.live.presence import Heartbeat, Presence
from chat_service.live.protocol import GOING_AWAY
from chat_service.problems import problems
from chat_service.settings import Settings
from rihla.db import Database
from rihla.kernel import Clock
from rihla.messaging import Broker
from rihla.storage import ObjectStore, open_storage
from rihla.web import ProblemTable
from rihla.web.loops import LoopGroup

_PRESENCE_LASTS_BEATS = 3


@dataclass(frozen=True, slots=True)
class Container:
    """What deeds work with, in the API process and in the worker."""

    settings: Settings
    clock: Clock
    db: Database
    broker: Broker
    storage: ObjectStore
    addresses: Addresses
    uploads: Uploads
    assistant: Assistant
    problems: ProblemTable
    hub: Hub
    channel: Channel
    room: PostRoom
    presence: Presence
    follower: Follower
    heartbeat: Heartbeat
    opening: asyncio.Semaphore
    """Held while a socket asks the database for its beginning: when thousands come back at once they wait for each
    other, and messages still find a connection."""


@asynccontextmanager
async def open_container(settings: Settings, clock: Clock) -> AsyncIterator[Container]:
    """Everything the processes need, closed at the end. Nothing is contacted yet."""
    async with AsyncExitStack() as stack:
        db = Database(settings.database_url, pool_size=settings.db_pool_size, application_name="chat")
        stack.push_async_callback(db.close)
        broker = await Broker.connect(settings.amqp_url, namespace=settings.namespace, service="chat")
        stack.push_async_callback(broker.close)
        storage = _open_storage(settings, clock)
        stack.push_async_callback(storage.close)
        addresses = _open_addresses(settings, clock)
        kept_unused = timedelta(hours=settings.attachment_unused_hours)
        hub = Hub()
        channel = _open_channel(settings, stack)
        room = PostRoom(db, hub, channel)
        channel.on_parcel = room.receive
        beat = settings.heartbeat_seconds
        presence = Presence(db, clock, room, channel.origin, lasts=beat * _PRESENCE_LASTS_BEATS)
        follower = Follower(
            db, hub, room, channel, every=settings.catch_up_seconds, every_alone=settings.catch_up_alone_seconds
        )
        channel.on_connected = follower.nudge
        yield Container(
            settings=settings,
            clock=clock,
            db=db,
            broker=broker,
            storage=storage,
            addresses=addresses,
            uploads=Uploads(db, storage, addresses, clock, kept_unused),
            assistant=_open_assistant(settings, clock, db, stack),
            problems=problems,
            hub=hub,
            channel=channel,
            room=room,
            presence=presence,
            follower=follower,
            heartbeat=Heartbeat(db, hub, presence, every=beat, idle=settings.idle_seconds),
            opening=asyncio.Semaphore(max(1, settings.db_pool_size // 2)),
        )


@asynccontextmanager
async def open_live(settings: Settings, clock: Clock) -> AsyncIterator[Container]:
    """The container of an API process, with the loops that keep its sockets supplied."""
    async with open_container(settings, clock) as c:
        group = LoopGroup([c.channel.run, c.follower.run, c.heartbeat.run], patience=1.0)
        group.start()
        try:
            yield c
        finally:
            c.hub.close_all(GOING_AWAY)
            await group.stop()


def _open_storage(settings: Settings, clock: Clock) -> ObjectStore:
    return open_storage(
        settings.attachment_storage_url,
        access_key=settings.attachment_storage_access_key.get_secret_value(),
        secret_key=settings.attachment_storage_secret_key.get_secret_value(),
        clock=clock,
    )


def _open_addresses(settings: Settings, clock: Clock) -> Addresses:
    lifetime = timedelta(seconds=settings.attachment_address_seconds)
    if settings.attachment_storage_url.startswith("s3://"):
        return S3Addresses.of_url(
            settings.attachment_storage_url,
            access_key=settings.attachment_storage_access_key.get_secret_value(),
            secret_key=settings.attachment_storage_secret_key.get_secret_value(),
            lifetime=lifetime,
            clock=clock,
        )
    secret = settings.attachment_secret.get_secret_value().encode()
    return LocalAddresses(settings.public_url.rstrip("/"), secret, lifetime, clock)


def _open_channel(settings: Settings, stack: AsyncExitStack) -> Channel:
    redis: Redis = Redis.from_url(
        settings.redis_url, socket_timeout=settings.redis_timeout, socket_connect_timeout=settings.redis_timeout
    )
    stack.push_async_callback(redis.aclose)
    return Channel(redis, f"{settings.namespace}:chat:live")


def _open_assistant(settings: Settings, clock: Clock, db: Database, stack: AsyncExitStack) -> Assistant:
    bookings = BookingReader(settings.booking_url)
    stack.push_async_callback(bookings.close)
    model: ModelProvider = NoModel()
    if settings.assistant_model_url:
        model = ChatModel(
            settings.assistant_model_url,
            name=settings.assistant_model_name,
            key=settings.assistant_model_key.get_secret_value(),
            timeout=settings.assistant_model_timeout,
        )
    stack.push_async_callback(model.close)
    return Assistant(db, clock, bookings, model)
