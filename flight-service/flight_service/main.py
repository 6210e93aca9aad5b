"""The API process: `uvicorn --factory flight_service.main:create_app`."""

from fastapi import FastAPI

import flight_service.catalogue.admin_api
import flight_service.catalogue.api
import flight_service.fares.admin_api
import flight_service.inventory.api
import flight_service.inventory.confirm_many
import flight_service.inventory.place_many
import flight_service.offers.api
import flight_service.schedules.admin_api
import flight_service.schedules.api
import flight_service.search.api
import flight_service.seat_maps.api
from flight_service.bootstrap import open_container
from flight_service.inventory.express_lane import open_express_lane
from flight_service.problems import problems
from flight_service.search.express_lane import open_search_lane
from flight_service.settings import Settings
from rihla.kernel import Clock, SystemClock
from rihla.web import build_app


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> FastAPI:
    """The application; settings come from the environment when none are given."""
    settings = settings or Settings()
    app = build_app(
        settings,
        title="Rihla: flights",
        description="Airports, airlines, aircraft, schedules, flights, fares, seat maps and the search for offers.",
        routers=[
            flight_service.catalogue.api.router,
            flight_service.schedules.api.router,
            flight_service.catalogue.admin_api.router,
            flight_service.schedules.admin_api.router,
            flight_service.fares.admin_api.router,
            flight_service.search.api.router,
            flight_service.offers.api.router,
            flight_service.inventory.api.router,
            flight_service.inventory.place_many.router,
            flight_service.inventory.confirm_many.router,
            flight_service.seat_maps.api.router,
        ],
        problems=problems,
        open_container=lambda: open_container(settings, clock or SystemClock()),
        checks=lambda c: {"database": c.db.check, "timetable": c.feed.check},
    )
    open_express_lane(app)
    open_search_lane(app)
    return app
