"""The worker process of payment-service: relay, consumers, and the loops that finish what was left open."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from fastapi import FastAPI

from payment_service.bootstrap import Container, Transports, open_container
from payment_service.ledger.nightly import check_when_due, ledger_is_right
from payment_service.ledger.seal import seal_batch
from payment_service.payments.reconcile import reconcile
from payment_service.promos.use_promo import release_expired
from payment_service.refunds.drive_refunds import drive_refunds
from payment_service.saved_methods.drive_methods import drive_methods
from payment_service.settings import Settings
from payment_service.subscriptions.consumers import subscription_bindings
from payment_service.subscriptions.renew import renew_due
from payment_service.subscriptions.seats import drive_seat_plans
from payment_service.subscriptions.use_rides import release_expired_rides
from payment_service.wallet.consumers import wallet_bindings
from payment_service.wallet.expire_coins import expire_coins
from payment_service.webhooks.receive import retry_pending
from rihla.kernel import Clock, SystemClock
from rihla.messaging import Consumer, OutboxRelay
from rihla.web import build_worker
from rihla.web.health import Checks
from rihla.web.housekeeping import Housekeeping
from rihla.web.loops import Loop, pause_or_stop

_SEALED: Final = 1000
"""Postings sealed in one transaction: what a second brings, so that the chain does not grow one by one."""


def create_worker(
    settings: Settings | None = None, *, clock: Clock | None = None, transports: Transports | None = None
) -> FastAPI:
    """Build the worker; its loops start with its lifespan."""
    settings = settings or Settings()
    clock = clock or SystemClock()
    return build_worker(
        settings,
        open_container=lambda: open_container(settings, clock, transports),
        run=loops,
        checks=checks,
    )


def loops(c: Container) -> Sequence[Loop]:
    """Every loop of the worker."""
    bindings = [*wallet_bindings(c.settings, c.clock), *subscription_bindings(c.clock)]
    return [
        OutboxRelay(c.db, c.broker, producer="payment", clock=c.clock).run,
        Consumer(c.broker, c.db, name="payment", bindings=bindings, clock=c.clock).run,
        Housekeeping(c.db, c.clock).run,
        _every(1.0, "reconcile", lambda: reconcile(c.db, c.providers, c.clock)),
        _every(1.0, "refunds", lambda: drive_refunds(c.db, c.providers, c.clock)),
        _every(1.0, "saved_methods", lambda: drive_methods(c.vault)),
        _every(2.0, "pending_webhooks", lambda: retry_pending(c.db, c.clock)),
        _every(1.0, "ledger_sealer", lambda: seal_batch(c.db, now=c.clock.now(), limit=_SEALED), full=_SEALED),
        _every(30.0, "renewals", lambda: renew_due(c.till, c.seats, grace_days=c.settings.subscription_grace_days)),
        _every(1.0, "seat_plans", lambda: drive_seat_plans(c.seats)),
        _every(60.0, "promo_expiry", lambda: release_expired(c.db, c.clock)),
        _every(60.0, "ride_expiry", lambda: release_expired_rides(c.db, c.clock)),
        _every(60.0, "coin_expiry", lambda: expire_coins(c.db, c.clock)),
        _every(60.0, "ledger_check", lambda: check_when_due(c.db, c.clock, hours=c.settings.ledger_check_hours)),
    ]


def checks(c: Container) -> Checks:
    """What the worker needs to be ready; the ledger's last recomputation is one of them."""
    return {"database": c.db.check, "broker": c.broker.check, "ledger": lambda: ledger_is_right(c.db)}


def _every(seconds: float, name: str, job: Callable[[], Awaitable[int]], *, full: int = 1) -> Loop:
    """Repeat a job: at once while it finds `full` or more to do, else after a pause."""

    async def loop(stop: asyncio.Event) -> None:
        while not stop.is_set():
            if await job() < full:
                await pause_or_stop(stop, seconds)

    loop.__qualname__ = name
    return loop
