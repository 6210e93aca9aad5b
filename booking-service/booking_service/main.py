"""The web application of booking-service."""

from fastapi import FastAPI

from booking_service.bookings.api import router as bookings
from booking_service.bootstrap import Container, Transports, open_container
from booking_service.cancelling.api import router as cancelling
from booking_service.changing.api import router as changing
from booking_service.check_in.api import router as check_in
from booking_service.disruptions.api import router as disruptions
from booking_service.documents.api import router as documents
from booking_service.placing.api import router as placing
from booking_service.placing.express_lane import open_express_lane
from booking_service.problems import PROBLEMS
from booking_service.seat_plans.api import router as seat_plans
from booking_service.settings import Settings
from booking_service.settling.api import router as settling
from booking_service.support.api import router as support
from rihla.kernel import Clock
from rihla.web import build_app
from rihla.web.health import Check

ROUTERS = [placing, bookings, cancelling, changing, check_in, disruptions, documents, support, settling, seat_plans]


def create_app(
    settings: Settings | None = None, *, clock: Clock | None = None, transports: Transports | None = None
) -> FastAPI:
    """The factory uvicorn calls. `transports` is the seam at which tests stand in for other services."""
    chosen = settings or Settings()
    app = build_app(
        chosen,
        title="Rihla bookings",
        description="What was sold: bookings, passengers, check-in, documents, cancellation, change.",
        routers=ROUTERS,
        problems=PROBLEMS,
        open_container=lambda: open_container(chosen, clock, transports),
        checks=_checks,
    )
    open_express_lane(app)
    return app


def _checks(c: Container) -> dict[str, Check]:
    return {"database": c.db.check}
