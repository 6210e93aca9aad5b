"""The API process of payment-service."""

from fastapi import FastAPI

from payment_service.bootstrap import Container, Transports, open_container
from payment_service.express_lanes import open_express_lanes
from payment_service.ledger.admin_api import router as admin_ledger
from payment_service.ledger.nightly import ledger_is_right
from payment_service.payments.admin_api import router as admin_payments
from payment_service.payments.api import router as payments
from payment_service.problems import PROBLEMS
from payment_service.promos.api import admin as admin_promos
from payment_service.promos.api import internal as internal_promos
from payment_service.promos.api import router as promos
from payment_service.receipts.api import router as receipts
from payment_service.refunds.admin_api import router as admin_refunds
from payment_service.refunds.api import router as refunds
from payment_service.saved_methods.api import router as saved_methods
from payment_service.settings import Settings
from payment_service.subscriptions.api import admin as admin_plans
from payment_service.subscriptions.api import router as subscriptions
from payment_service.subscriptions.internal_api import internal as internal_subscriptions
from payment_service.wallet.api import router as wallet
from payment_service.webhooks.api import router as webhooks
from rihla.kernel import Clock, SystemClock
from rihla.web import build_app
from rihla.web.health import Checks

ROUTERS = (
    payments,
    receipts,
    saved_methods,
    wallet,
    promos,
    subscriptions,
    webhooks,
    refunds,
    internal_promos,
    internal_subscriptions,
    admin_payments,
    admin_refunds,
    admin_ledger,
    admin_promos,
    admin_plans,
)


def create_app(
    settings: Settings | None = None, *, clock: Clock | None = None, transports: Transports | None = None
) -> FastAPI:
    """Build the application; nothing is opened before its lifespan."""
    settings = settings or Settings()
    clock = clock or SystemClock()
    app = build_app(
        settings,
        title="Rihla payment-service",
        description="Payments, saved payment methods, refunds, wallet and coins, promo codes, subscriptions.",
        routers=ROUTERS,
        problems=PROBLEMS,
        open_container=lambda: open_container(settings, clock, transports),
        checks=checks,
    )
    open_express_lanes(app)
    return app


def checks(container: Container) -> Checks:
    """What the API needs to be ready."""
    return {"database": container.db.check, "ledger": lambda: ledger_is_right(container.db)}
