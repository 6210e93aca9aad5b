"""A real mail server, and notification-service's worker and API on real servers."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import text

from notification_service.bootstrap import Container, open_container
from notification_service.consuming import consumer_of
from notification_service.settings import Settings
from rihla.contracts.events import BookingConfirmedV1, BookingCreatedV1, BookingDocumentsReadyV1, EventData
from rihla.contracts.events import Envelope as RihlaEnvelope
from rihla.contracts.events.booking import ContactFact, CouponFact, DocumentFact, PassengerFact, SegmentFact
from rihla.kernel import FixedClock, new_id
from rihla.messaging import Consumer


@dataclass
class Mailbox:
    """What the mail server accepted, and how it answers next."""

    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answers:
            return self.answers.pop(0)
        mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients += envelope.rcpt_tos
        return "250 2.0.0 accepted"

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if mail["To"] == address]


class MailServer:
    """aiosmtpd on a port of its own; it can go away and come back on the same port."""

    def __init__(self) -> None:
        self.box = Mailbox()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._open: set[SMTP] = set()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def start(self) -> None:
        # The test's own server writes down every command it hears; that is not our log.
        logging.getLogger("mail.log").setLevel(logging.ERROR)

        def protocol() -> SMTP:
            connection = SMTP(self.box, hostname="mail.test", enable_SMTPUTF8=True, data_size_limit=50_000_000)
            self._open.add(connection)
            return connection

        self._server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for connection in self._open:
                if connection.transport is not None:
                    connection.transport.abort()
            self._open.clear()
            self._server = None


@pytest_asyncio.fixture
async def mail_server() -> AsyncIterator[MailServer]:
    server = MailServer()
    await server.start()
    yield server
    await server.stop()


@dataclass
class Stack:
    """A worker's container without its loops: events are handed over by `hear`, mail is sent by `send`."""

    container: Container
    consumer: Consumer

    async def hear(self, event: EventData, *, subject: object, sequence: int = 1) -> RihlaEnvelope:
        envelope = RihlaEnvelope.of(event, subject=str(subject), sequence=sequence, time=self.container.clock.now())
        await self.consumer.handle(envelope)
        return envelope

    async def send(self) -> int:
        sent = 0
        while count := await self.container.delivery_sender.send_due():
            sent += count
        return sent

    async def rows(self, query: str, **values: Any) -> list[Any]:
        async with self.container.db.transaction() as session:
            return list((await session.execute(text(query), values)).all())


@pytest_asyncio.fixture
async def stack(settings: Settings, clock: FixedClock) -> AsyncIterator[Stack]:
    async with open_container(settings, clock) as container:
        yield Stack(container, consumer_of(container))


@pytest.fixture
def box(mail_server: MailServer) -> Mailbox:
    return mail_server.box


@pytest_asyncio.fixture
async def settings(
    database_for: Any,
    namespace: str,
    amqp_url: str,
    redis_url: str,
    keyring: Any,
    mail_server: MailServer,
    tmp_path: Path,
) -> Settings:
    return Settings(
        database_url=await database_for("notification-service"),
        amqp_url=amqp_url,
        redis_url=redis_url,
        namespace=namespace,
        smtp_url=mail_server.url,
        smtp_timeout_seconds=20,
        document_storage_url=f"file://{tmp_path}/documents",
        public_url="https://rihla.test",
        **keyring.settings("notification"),
    )


@pytest.fixture
def trip() -> "Trip":
    return Trip()


class Trip:
    """A booking of Amina and Karim from Dhaka to Jeddah, and the events it gives."""

    def __init__(self) -> None:
        self.booking_id, self.user_id, self.flight_id = new_id(), new_id(), new_id()
        self.passengers = [(new_id(), "Amina", "Rahman"), (new_id(), "আব্দুল", "করিম")]
        self.departure_at = datetime.fromisoformat("2026-12-03T08:30:00+06:00")
        self.email = "amina@example.com"
        self.phone: str | None = None
        self.locale = "en"
        self.coupon = "open"
        self.known_of: dict[str, dict[str, Any]] = {}

    def common(self) -> dict[str, Any]:
        return {
            "booking_id": self.booking_id,
            "reference": "K7QX2M",
            "user_id": self.user_id,
            "locale": self.locale,
            "contact": ContactFact(email=self.email, phone=self.phone),
            "total_minor": 61240,
            "currency": "USD",
            "segments": (self.segment(),),
            "passengers": tuple(self.passenger(*one) for one in self.passengers),
        }

    def segment(self) -> SegmentFact:
        return SegmentFact(
            flight_id=self.flight_id,
            slice_index=0,
            segment_index=0,
            flight_number="RQ101",
            airline="RQ",
            airline_name="Rihla Air",
            origin="DAC",
            destination="JED",
            departure_at=self.departure_at,
            arrival_at=self.departure_at + timedelta(hours=6, minutes=30),
            cabin="economy",
            fare_brand="standard",
        )

    def news(self, occurred_at: datetime, **changes: Any) -> dict[str, Any]:
        """What every event of the flight says."""
        return {
            "flight_id": self.flight_id,
            "flight_number": "RQ101",
            "airline": "RQ",
            "origin": "DAC",
            "destination": "JED",
            "departure_at": self.departure_at,
            "arrival_at": self.departure_at + timedelta(hours=6),
            "occurred_at": occurred_at,
            **changes,
        }

    def passenger(self, passenger_id: UUID, given_name: str, surname: str) -> PassengerFact:
        return PassengerFact(
            passenger_id=passenger_id,
            type="adult",
            given_name=given_name,
            surname=surname,
            **self.known_of.get(given_name, {}),
            e_ticket_number=f"901{passenger_id.int % 10**10:010d}",
            coupons=(CouponFact(flight_id=self.flight_id, status=self.coupon, seat="12A"),),
        )

    def created(self, pay_by: datetime) -> BookingCreatedV1:
        return BookingCreatedV1(**self.common(), payment_required_by=pay_by)

    def confirmed(self) -> BookingConfirmedV1:
        return BookingConfirmedV1(**self.common(), confirmed_at=datetime(2026, 12, 1, 8, 0, tzinfo=UTC))

    def ready(self, key: str, *, kind: str = "ticket", cause: str = "confirmed") -> BookingDocumentsReadyV1:
        name = {"ticket": "K7QX2M-tickets.pdf", "receipt": "K7QX2M-receipt.pdf"}.get(kind, f"K7QX2M-{kind}.pdf")
        document = DocumentFact(kind=kind, name=name, media_type="application/pdf", storage_key=key, sha256="0" * 64)
        return BookingDocumentsReadyV1(
            booking_id=self.booking_id,
            reference="K7QX2M",
            user_id=self.user_id,
            cause=cause,
            documents=(document,),
        )
