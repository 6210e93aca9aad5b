"""The worker process: the consumer of events, the sender of deliveries."""

from fastapi import FastAPI

from notification_service.bootstrap import open_container
from notification_service.consuming import consumer_of
from notification_service.settings import Settings
from rihla.kernel import Clock, SystemClock
from rihla.web import build_worker


def create_worker(settings: Settings | None = None, *, clock: Clock | None = None) -> FastAPI:
    """The worker; settings come from the environment when none are given."""
    settings = settings or Settings()
    return build_worker(
        settings,
        open_container=lambda: open_container(settings, clock or SystemClock()),
        run=lambda c: [consumer_of(c).run, c.delivery_sender.run],
        checks=lambda c: {"database": c.db.check, "broker": c.broker.check},
    )
