"""Confirmation mails a second: events wait in the queue, one worker drains them to a mail server; then all once more.

`python bench/mails.py [--mails 2000] [--together 4] [--inbox]`: each booking is `booking.confirmed` and
`booking.documents_ready` with a ticket and a receipt in the store; the events of so many bookings share a message, as
the relay sends them under load. The worker runs as in production, in a process of its own. The mail server is a cheap
sink in another process, or with `--inbox` the local stack's real one. Besides mails a second, which depend on what else
the machine does, it prints the worker's CPU time a mail. The second delivery of the same events must send nothing.
"""

import argparse
import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import aio_pika
import asyncpg
import uvloop

from rihla.contracts.events import BookingConfirmedV1, BookingDocumentsReadyV1, Envelope, EventData
from rihla.contracts.events.booking import ContactFact, CouponFact, DocumentFact, PassengerFact, SegmentFact
from rihla.kernel import SystemClock, new_id
from rihla.messaging import Broker
from rihla.messaging.parcel import packed
from rihla.storage import open_storage
from rihla.testing.databases import fresh_database
from rihla.testing.keyring import Keyring
from rihla.testing.namespaces import remove_namespace
from rihla.testing.servers import Servers, servers

HERE = Path(__file__).resolve()
SERVICE = HERE.parents[1] / "notification-service"
TARGET_MAILS, TARGET_SECONDS = 10_000, 120
TICKET_BYTES, RECEIPT_BYTES = 45_000, 30_000


# ---- the mail server that does as little as one can


class SinkProtocol(asyncio.Protocol):
    """Takes every mail, remembers its Message-ID. `NOOP` answers with mails and distinct Message-IDs so far."""

    mails = 0
    ids: set[bytes] = set()  # noqa: RUF012 - one for the process, on purpose

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._left = bytearray()
        self._searched, self._in_mail = 0, False
        transport.write(b"220 sink ESMTP\r\n")  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._left += data
        while self._left:
            if self._in_mail:
                if not self._take():
                    return
                continue
            line, found, rest = self._left.partition(b"\r\n")
            if not found:
                return
            self._left = rest
            self._answer(bytes(line))

    def _take(self) -> bool:
        """Whether a whole mail was there: bytes up to the lone dot, searched where they are new."""
        end = self._left.find(b"\r\n.\r\n", self._searched)
        if end < 0:
            self._searched = max(len(self._left) - 4, 0)
            return False
        head = bytes(self._left[: self._left.find(b"\r\n\r\n")]).lower()
        at = head.find(b"message-id:")
        SinkProtocol.mails += 1
        SinkProtocol.ids.add(head[at + 11 : head.find(b"\r\n", at)].strip())
        self._left = self._left[end + 5 :]
        self._searched, self._in_mail = 0, False
        self._transport.write(b"250 2.0.0 taken\r\n")
        return True

    def _answer(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb == b"EHLO":
            self._transport.write(b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 50000000\r\n")
        elif verb == b"DATA":
            self._in_mail = True
            self._transport.write(b"354 go on\r\n")
        elif verb == b"NOOP":
            self._transport.write(b"250 %d %d\r\n" % (SinkProtocol.mails, len(SinkProtocol.ids)))
        elif verb == b"QUIT":
            self._transport.write(b"221 bye\r\n")
            self._transport.close()
        else:
            self._transport.write(b"250 ok\r\n")


def sink(port: int) -> None:
    """The process of the sink."""

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(SinkProtocol, "127.0.0.1", port, backlog=512)
        await server.serve_forever()

    uvloop.run(serve())


class MailServer(Protocol):
    """What the trial asks of a mail server."""

    command: Sequence[str]
    environment: dict[str, str]
    probe: int
    smtp: int

    def counts(self) -> tuple[int, int]:
        """(mails, distinct Message-IDs) taken so far."""
        ...


class Sink:
    """The cheap one."""

    def __init__(self) -> None:
        self.probe = self.smtp = free_port()
        self.command: Sequence[str] = [sys.executable, str(HERE), "--role", "sink", "--port", str(self.smtp)]
        self.environment: dict[str, str] = {}

    def counts(self) -> tuple[int, int]:
        """Asked over SMTP."""
        with socket.create_connection(("127.0.0.1", self.smtp), timeout=10) as connection:
            lines = connection.makefile("rb")
            lines.readline()
            connection.sendall(b"NOOP\r\n")
            _, mails, ids = lines.readline().split()
            connection.sendall(b"QUIT\r\n")
            return int(mails), int(ids)


class Inbox:
    """The local stack's own; it counts mails, and keeps no Message-ID (`provider_id` in the deliveries tells those)."""

    def __init__(self, folder: Path) -> None:
        self.smtp, self.probe = free_port(), free_port()
        self._file = folder / "inbox.sqlite"
        self.command: Sequence[str] = [
            sys.executable, "-m", "uvicorn", "--factory", "rihla_inbox.main:create_app",
            "--port", str(self.probe), "--log-level", "warning",
        ]  # fmt: skip
        self.environment: dict[str, str] = {"INBOX_SMTP_PORT": str(self.smtp), "INBOX_DATA_DIR": str(folder)}

    def counts(self) -> tuple[int, int]:
        """Read from its file: mails ever taken, and how many of them were no second one of an address among those still
        there (each booking has its own address; beyond a gigabyte the inbox lets the oldest go)."""
        with sqlite3.connect(f"file:{self._file}?mode=ro", uri=True) as connection:
            (taken,) = connection.execute("SELECT coalesce(max(id), 0) FROM mail").fetchone()
            (doubled,) = connection.execute("SELECT count(*) - count(DISTINCT address) FROM recipient").fetchone()
            return int(taken), int(taken) - int(doubled)


# ---- bookings


def events_of(number: int, keys: tuple[str, str], now: datetime) -> tuple[UUID, BookingConfirmedV1, EventData]:
    """A booking of two people on two flights, and its documents."""
    booking_id, user_id, flights = new_id(), new_id(), (new_id(), new_id())
    reference = f"B{number:05d}"
    segments = tuple(
        SegmentFact(
            flight_id=flight, slice_index=0, segment_index=index, flight_number=f"RQ{101 + index}", airline="RQ",
            airline_name="Rihla Air", origin=("DAC", "DXB")[index], destination=("DXB", "JED")[index],
            departure_at=now + timedelta(days=30, hours=6 * index),
            arrival_at=now + timedelta(days=30, hours=6 * index + 4),
            cabin="economy", fare_brand="standard", terminal="1",
        )
        for index, flight in enumerate(flights)
    )  # fmt: skip
    passengers = tuple(
        PassengerFact(
            passenger_id=new_id(), type="adult", given_name=given, surname="Rahman",
            e_ticket_number=f"901{number * 2 + index:010d}",
            coupons=tuple(CouponFact(flight_id=flight, status="open", seat=f"1{index}A") for flight in flights),
        )
        for index, given in enumerate(("Amina", "Karim"))
    )  # fmt: skip
    confirmed = BookingConfirmedV1(
        booking_id=booking_id, reference=reference, user_id=user_id, locale=("en", "ar", "bn", "ur")[number % 4],
        contact=ContactFact(email=f"traveller{number}@example.com"), total_minor=61_240, currency="USD",
        segments=segments, passengers=passengers, confirmed_at=now,
    )  # fmt: skip
    documents = tuple(
        DocumentFact(
            kind=kind, name=f"{reference}-{name}.pdf", media_type="application/pdf", storage_key=key, sha256="0" * 64
        )
        for kind, name, key in (("ticket", "tickets", keys[0]), ("receipt", "receipt", keys[1]))
    )  # fmt: skip
    ready = BookingDocumentsReadyV1(
        booking_id=booking_id, reference=reference, user_id=user_id, cause="confirmed", documents=documents
    )
    return booking_id, confirmed, ready


async def messages_of(mails: int, folder: Path) -> list[tuple[str, bytes]]:
    """(type, body) of every event, in the order in which they happened; the documents lie in the store."""
    now = datetime.now(UTC)
    store = open_storage(f"file://{folder}", clock=SystemClock())
    keys = ("bench/tickets.pdf", "bench/receipt.pdf")
    for key, size in zip(keys, (TICKET_BYTES, RECEIPT_BYTES), strict=True):
        await store.put(key, b"%PDF-1.7\n" + os.urandom(size), media_type="application/pdf")
    found = []
    for number in range(mails):
        booking_id, *events = events_of(number, keys, now)
        for sequence, event in enumerate(events, start=2):
            envelope = Envelope.of(event, subject=str(booking_id), sequence=sequence, time=now)
            found.append((envelope.type, envelope.model_dump_json().encode()))
    return found


def in_parcels(events: Sequence[tuple[str, bytes]], together: int) -> list[tuple[str, bytes, str]]:
    """(type, body, content type) of messages with so many events of one type, each booking in order."""
    found = []
    for start in range(0, len(events), 2 * together):
        part = events[start : start + 2 * together]
        found += [
            (event_type, *packed([body.decode() for kind, body in part if kind == event_type]))
            for event_type in dict.fromkeys(kind for kind, _ in part)
        ]
    return found


# ---- putting it together


@dataclass
class Trial:
    """A broker with the worker's queue, and where the worker's state is."""

    broker: Broker
    namespace: str
    database_url: str

    async def publish(self, events: Sequence[tuple[str, bytes]], together: int) -> None:
        """Into the queue; durable and `together` to a message as the relay's."""
        messages = in_parcels(events, together)
        channel = await self.broker.channel()
        exchange = await self.broker.exchange(channel, "booking")
        queue = await self.broker.queue(channel, "notification")
        for event_type in {one for one, _ in events}:
            await queue.bind(exchange, event_type)
        for start in range(0, len(messages), 500):
            await asyncio.gather(
                *(
                    exchange.publish(
                        aio_pika.Message(body, delivery_mode=2, content_type=content_type), routing_key=event_type
                    )
                    for event_type, body, content_type in messages[start : start + 500]
                )
            )
        await channel.close()

    async def waiting(self) -> int:
        """Messages in the queue that the worker has not acknowledged."""
        channel = await self.broker.channel()
        queue = await channel.declare_queue(f"{self.namespace}.notification", passive=True)
        await channel.close()
        return int(queue.declaration_result.message_count or 0)

    async def figures(self) -> tuple[int, int, int, int]:
        """(events handled, deliveries, of them sent, distinct Message-IDs)."""
        connection = await asyncpg.connect(self.database_url)
        try:
            row = await connection.fetchrow(
                "SELECT (SELECT count(*) FROM inbox), count(*), count(*) FILTER (WHERE state = 'sent'), "
                "count(DISTINCT message_id) FROM delivery"
            )
        finally:
            await connection.close()
        assert row is not None
        return row[0], row[1], row[2], row[3]


@asynccontextmanager
async def trial(found: Servers) -> AsyncIterator[Trial]:
    """A fresh database and namespace, removed afterwards."""
    namespace = f"bench{new_id().hex[-12:]}"
    async with fresh_database(found.database_url, SERVICE) as database_url:
        broker = await Broker.connect(found.amqp_url, namespace=namespace, service="booking")
        try:
            yield Trial(broker, namespace, database_url)
        finally:
            await broker.close()
            await remove_namespace(namespace, found.amqp_url, found.redis_url)


def free_port() -> int:
    """A port nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(command: Sequence[str], port: int, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that listens on `port`, stopped afterwards."""
    child = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if child.poll() is not None:
                raise RuntimeError(f"{command} ended with {child.returncode}")
            time.sleep(0.05)
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(timeout=30)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(mails: int, *, together: int, inbox: bool) -> dict[str, float]:
    """Fill the queue, let one worker drain it, deliver everything again; prints and returns the figures."""
    with tempfile.TemporaryDirectory() as folder, servers() as found:
        messages = await messages_of(mails, Path(folder, "documents"))
        server: MailServer = Inbox(Path(folder, "inbox")) if inbox else Sink()
        async with trial(found) as one:
            await one.publish(messages, together)
            port = free_port()
            environment = {
                **{name.upper(): value for name, value in Keyring().settings("notification").items()},
                "DATABASE_URL": one.database_url, "AMQP_URL": found.amqp_url, "REDIS_URL": found.redis_url,
                "NAMESPACE": one.namespace, "SMTP_URL": f"smtp://127.0.0.1:{server.smtp}", "LOG_LEVEL": "WARNING",
                "DOCUMENT_STORAGE_URL": f"file://{folder}/documents", "PUBLIC_URL": "https://bench.test",
            }  # fmt: skip
            worker = [
                sys.executable, "-m", "uvicorn", "--factory", "notification_service.worker:create_worker",
                "--loop", "uvloop", "--log-level", "warning", "--no-access-log", "--port", str(port),
            ]  # fmt: skip
            with (
                process(server.command, server.probe, server.environment) as mail_server,
                process(worker, port, environment) as child,
            ):
                started = time.monotonic()
                idle, still = cpu_seconds(child.pid), cpu_seconds(mail_server.pid)
                await settled(one, mails, deadline=started + 120 + mails / 4)
                took = time.monotonic() - started
                spent, sunk = cpu_seconds(child.pid) - idle, cpu_seconds(mail_server.pid) - still
                taken, ids = server.counts()
                await one.publish(messages, together)
                await drained(one)
                again, _ = server.counts()
    per_second = mails / took
    print(
        f"{'inbox' if inbox else 'sink':6}{mails:7,} mails in {took:6.1f} s: {per_second:6.1f}/s"
        f"  (target {TARGET_MAILS / TARGET_SECONDS:.0f}/s)  worker {spent / mails * 1e3:5.2f} ms CPU a mail,"
        f" mail server {sunk / mails * 1e3:5.2f} ms"
    )
    print(f"      {ids:7,} distinct, {taken - mails:,} doubled; delivered again: {again - taken:,} more")
    assert (taken, ids, again) == (mails, mails, mails), (taken, ids, again)
    return {"per_second": per_second, "cpu_ms": spent / mails * 1e3}


async def settled(one: Trial, mails: int, deadline: float) -> None:
    """Until every mail is sent."""
    while time.monotonic() < deadline:
        _, deliveries, sent, ids = await one.figures()
        if sent == mails:
            assert deliveries == ids == mails
            return
        await asyncio.sleep(0.1)
    raise TimeoutError(f"not all mails left: {await one.figures()}")


async def drained(one: Trial) -> None:
    """Until the queue has been empty for a while and nothing is left to send."""
    calm = 0
    while calm < 10:
        _, deliveries, sent, _ = await one.figures()
        calm = calm + 1 if await one.waiting() == 0 and deliveries == sent else 0
        await asyncio.sleep(0.1)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--mails", type=int, default=2_000)
    parser.add_argument("--together", type=int, default=4, help="events of one type that share a message")
    parser.add_argument("--inbox", action="store_true", help="the local stack's own mail server instead of the sink")
    parser.add_argument("--role", choices=("sink",))
    parser.add_argument("--port", type=int, default=0)
    chosen = parser.parse_args()
    if chosen.role == "sink":
        sink(chosen.port)
        return
    asyncio.run(measure(chosen.mails, together=chosen.together, inbox=chosen.inbox))


if __name__ == "__main__":
    main()
