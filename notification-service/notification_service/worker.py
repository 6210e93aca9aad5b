"""The worker process: the consumer of events, the senders of deliveries and webhooks, reminders, the sweeper."""

from fastapi import FastAPI

from notification_service.bootstrap import Container, open_container
from notification_service.consuming import consumer_of
from notification_service.reading.forget_old import Forgetter
from notification_service.reminders.remind import ReminderScheduler
from notification_service.settings import Settings
from rihla.kernel import Clock, SystemClock
from rihla.web import build_worker
from rihla.web.loops import Loop


def create_worker(settings: Settings | None = None, *, clock: Clock | None = None) -> FastAPI:
    """The worker; settings come from the environment when none are given."""
    settings = settings or Settings()
    return build_worker(
        settings,
        open_container=lambda: open_container(settings, clock or SystemClock()),
        run=_loops,
        checks=lambda c: {"database": c.db.check, "broker": c.broker.check},
    )


def _loops(c: Container) -> list[Loop]:
    reminders = ReminderScheduler(c.db, c.teller, clock=c.clock, every_seconds=c.settings.reminder_every_seconds)
    forgetter = Forgetter(
        c.db, clock=c.clock, trip_days=c.settings.trip_days_kept, notice_days=c.settings.notice_days_kept
    )
    return [consumer_of(c).run, c.delivery_sender.run, c.webhook_sender.run, reminders.run, forgetter.run]
