"""The worker of booking-service: relay, consumers, errands, sweepers, documents."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI

from booking_service.bookings.complete_bookings import CompletionSweeper
from booking_service.bookings.errands import ErrandRunner, Handler
from booking_service.bookings.seal_passports import PassportSealer
from booking_service.bootstrap import Container, Transports, open_container
from booking_service.changing.confirm_change import confirm_change
from booking_service.changing.move_seats import sync_seats
from booking_service.changing.sweep_changes import ChangeSweeper
from booking_service.disruptions.consumers import FlightEvents
from booking_service.disruptions.refund_unanswered import DisruptionSweeper
from booking_service.documents.make_documents import DocumentMaker
from booking_service.forgetting.consumers import person_deleted
from booking_service.forgetting.forget_people import Forgetter
from booking_service.placing.sweep_placings import PlacingSweeper
from booking_service.seat_plans.sweep_plans import SeatPlanSweeper
from booking_service.settings import Settings
from booking_service.settling.confirm_booking import confirm_hold, reinstate_hold
from booking_service.settling.consumers import PaymentEvents
from booking_service.settling.expire_bookings import ExpirySweeper
from booking_service.settling.pay_at_once import PayAtOnce
from booking_service.settling.release_errands import (
    consume_promo,
    consume_rides,
    release_hold,
    release_promo,
    release_rides,
)
from booking_service.settling.settle_refund import ask_for_refund
from rihla.kernel import Clock
from rihla.messaging import Binding, Broker, Consumer, OutboxRelay
from rihla.web import build_worker
from rihla.web.health import Check
from rihla.web.housekeeping import Housekeeping
from rihla.web.loops import Loop

HANDLERS: dict[str, Handler] = {
    "confirm_hold": confirm_hold,
    "reinstate_hold": reinstate_hold,
    "release_hold": release_hold,
    "release_promo": release_promo,
    "consume_promo": consume_promo,
    "release_rides": release_rides,
    "consume_rides": consume_rides,
    "request_refund": ask_for_refund,
    "confirm_change": confirm_change,
    "sync_seats": sync_seats,
}


_FLIGHT_EVENTS = (
    "flight.delayed.v1",
    "flight.gate_changed.v1",
    "flight.cancelled.v1",
    "flight.retimed.v1",
    "flight.departed.v1",
)


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker's parts, so that a test can run one step of one loop."""

    c: Container
    broker: Broker
    errands: ErrandRunner
    placings: PlacingSweeper
    expiry: ExpirySweeper
    disruptions: DisruptionSweeper
    completion: CompletionSweeper
    changes: ChangeSweeper
    seat_plans: SeatPlanSweeper
    documents: DocumentMaker
    forgetter: Forgetter
    passports: PassportSealer
    relay: OutboxRelay
    consumer: Consumer
    payments: PayAtOnce

    def loops(self) -> list[Loop]:
        """Everything that runs while the worker lives."""
        return [
            self.relay.run,
            self.consumer.run,
            self.errands.run,
            self.placings.run,
            self.expiry.run,
            self.disruptions.run,
            self.completion.run,
            self.changes.run,
            self.seat_plans.run,
            self.documents.run,
            Housekeeping(self.c.db, self.c.clock).run,
            self.forgetter.run,
            self.passports.run,
        ]

    def checks(self) -> dict[str, Check]:
        """What the worker needs to be ready."""
        return {"database": self.c.db.check, "broker": self.broker.check}


@asynccontextmanager
async def open_worker(
    settings: Settings, clock: Clock | None = None, transports: Transports | None = None
) -> AsyncIterator[Worker]:
    """The worker's container and its loops, not yet running."""
    async with open_container(settings, clock, transports) as c:
        broker = await Broker.connect(settings.amqp_url, namespace=settings.namespace, service="booking")
        errands = ErrandRunner(c, HANDLERS)
        payments = PayAtOnce(c, errands)
        consumer = Consumer(broker, c.db, name="booking", bindings=_bindings(c, errands, payments), clock=c.clock)
        try:
            yield Worker(
                c=c,
                broker=broker,
                errands=errands,
                placings=PlacingSweeper(c),
                expiry=ExpirySweeper(c),
                disruptions=DisruptionSweeper(c),
                completion=CompletionSweeper(c),
                changes=ChangeSweeper(c),
                seat_plans=SeatPlanSweeper(c),
                documents=DocumentMaker(c.db, c.documents, c.rush, clock=c.clock),
                forgetter=Forgetter(c),
                passports=PassportSealer(c),
                relay=OutboxRelay(c.db, broker, producer="booking", clock=c.clock),
                consumer=consumer,
                payments=payments,
            )
        finally:
            await broker.close()
            await payments.close()


def _bindings(c: Container, errands: ErrandRunner, at_once: PayAtOnce) -> list[Binding]:
    payments = PaymentEvents(c)
    flights = FlightEvents(c)
    return [
        Binding(
            "payment",
            "payment.succeeded.v1",
            payments.payment_succeeded,
            after_commit=errands.nudge,
            at_once=at_once.take,
        ),
        Binding("payment", "payment.failed.v1", payments.payment_failed),
        Binding("payment", "refund.succeeded.v1", payments.refund_succeeded),
        Binding("payment", "refund.failed.v1", payments.refund_failed),
        Binding("auth", "user.deleted.v1", person_deleted),
        *(Binding("flight", event_type, flights.changed) for event_type in _FLIGHT_EVENTS),
    ]


def create_worker(
    settings: Settings | None = None, *, clock: Clock | None = None, transports: Transports | None = None
) -> FastAPI:
    """The factory uvicorn calls for the worker; it serves only health and metrics."""
    chosen = settings or Settings()
    return build_worker(
        chosen,
        open_container=lambda: open_worker(chosen, clock, transports),
        run=Worker.loops,
        checks=Worker.checks,
    )
