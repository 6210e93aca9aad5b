"""The sender: takes requests for codes and hands them to notification-service, off every request path.

What a person may read off a request (its answer, its time) is the same whether or not an account exists; here,
where nobody watches, it is decided whether a code goes out, a note that the account exists, or nothing.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.codes import store
from auth_service.codes.notification_client import NotificationClient
from auth_service.codes.rules import code_of, redelivery_delay
from auth_service.codes.tables import CodeRequest
from auth_service.people.find import account_by_address
from rihla.db import Database, asyncpg_dsn
from rihla.http import UpstreamUnavailable
from rihla.kernel import Clock
from rihla.telemetry import Counter, get_logger

log = get_logger(__name__)
HANDED_OVER = Counter("rihla_auth_codes_total", "Requests for codes the sender finished", ["purpose", "outcome"])

_BATCH = 20
_LEASE = timedelta(seconds=15)
_POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Message:
    """One hand-over. `code` is None for the note that an account exists."""

    request_id: UUID
    asked_for: str
    purpose: str
    channel: str
    address: str
    code: str | None
    locale: str
    expires_at: datetime
    client_ip: str | None


class CodeSender:
    """Survives a crash at any point: a taken request comes back after its lease and carries the same code."""

    def __init__(self, db: Database, clock: Clock, notification: NotificationClient, *, secret: bytes) -> None:
        self.name = "code-sender"
        self._db = db
        self._clock = clock
        self._notification = notification
        self._secret = secret

    async def run(self, stop: asyncio.Event) -> None:
        """Send until told to stop; woken by NOTIFY, and by itself every second."""
        wake = asyncio.Event()
        listener = await asyncpg.connect(asyncpg_dsn(self._db.url), timeout=5)
        try:
            await listener.add_listener(store.CODES_CHANNEL, lambda *_: wake.set())
            while not stop.is_set():
                wake.clear()
                if await self.send_due() < _BATCH:
                    await _first_of(stop, wake)
        finally:
            with contextlib.suppress(Exception):
                await listener.close(timeout=1)

    async def send_due(self) -> int:
        """Take what is due and hand it over; how many requests were taken."""
        async with self._db.transaction() as session:
            now = self._clock.now()
            taken = await store.take_due(session, now=now, limit=_BATCH)
            messages = [message for request in taken if (message := await self._decide(session, request, now))]
        await asyncio.gather(*(self._hand_over(message) for message in messages))
        return len(taken)

    async def _decide(self, session: AsyncSession, request: CodeRequest, now: datetime) -> _Message | None:
        if request.expires_at <= now:
            _finished(request, "failed")
            return None
        purpose = await _what_to_send(session, request)
        if purpose is None:
            _finished(request, "answered")
            return None
        request.status = "sending"
        request.deliveries += 1
        request.next_attempt_at = now + max(_LEASE, redelivery_delay(request.deliveries))
        return self._message(request, purpose)

    def _message(self, request: CodeRequest, purpose: str) -> _Message:
        code = None
        if purpose != "account-exists":
            code = code_of(self._secret, purpose=request.purpose, identifier=request.identifier, request_id=request.id)
        return _Message(
            request_id=request.id,
            asked_for=request.purpose,
            purpose=purpose,
            channel=request.channel,
            address=request.identifier,
            code=code,
            locale=request.locale,
            expires_at=request.expires_at,
            client_ip=request.client_ip,
        )

    async def _hand_over(self, message: _Message) -> None:
        try:
            await self._notification.send_code(
                request_id=message.request_id,
                channel=message.channel,
                address=message.address,
                code=message.code,
                purpose=message.purpose,
                locale=message.locale,
                expires_at=message.expires_at,
                client_ip=message.client_ip,
            )
        except UpstreamUnavailable:
            log.warning("code_not_handed_over", request_id=str(message.request_id))
            await self._store_outcome(message, "sending")
        else:
            await self._store_outcome(message, "sent")

    async def _store_outcome(self, message: _Message, status: str) -> None:
        async with self._db.transaction() as session:
            request = await session.get(CodeRequest, message.request_id, with_for_update=True)
            if request is None or request.status != "sending":
                return
            request.status = status
            if status == "sending":
                request.next_attempt_at = self._clock.now() + redelivery_delay(request.deliveries)
        HANDED_OVER.labels(message.asked_for, status).inc()


def _finished(request: CodeRequest, outcome: str) -> None:
    request.status = outcome
    HANDED_OVER.labels(request.purpose, outcome).inc()


async def _what_to_send(session: AsyncSession, request: CodeRequest) -> str | None:
    """The purpose of the message, or None when nobody is to be written to."""
    owner = await account_by_address(session, request.identifier)
    if request.purpose in ("verify", "change-email"):
        return request.purpose if owner is None else "account-exists"
    return request.purpose if owner is not None and owner.status == "active" else None


async def _first_of(stop: asyncio.Event, wake: asyncio.Event) -> None:
    tasks = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(wake.wait())]
    try:
        await asyncio.wait(tasks, timeout=_POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
