"""The worker process: the consumer of events, the relay of our own, and the sweeper."""

from fastapi import FastAPI

from chat_service.bootstrap import Container, open_container
from chat_service.consuming import consumer_of
from chat_service.settings import Settings
from chat_service.sweeping import Sweeper
from rihla.kernel import Clock, SystemClock
from rihla.messaging import OutboxRelay
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
    relay = OutboxRelay(c.db, c.broker, producer="chat", clock=c.clock)
    return [consumer_of(c).run, relay.run, Sweeper(c).run]
