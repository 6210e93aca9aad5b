"""The API process: `uvicorn --factory notification_service.main:create_app`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

import notification_service.codes.api
import notification_service.delivering.api
import notification_service.devices.api
import notification_service.live.api
import notification_service.partner_webhooks.api
import notification_service.preferences.api
import notification_service.reading.api
from notification_service.bootstrap import Container, open_container
from notification_service.problems import problems
from notification_service.settings import Settings
from rihla.kernel import Clock, SystemClock
from rihla.web import build_app


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> FastAPI:
    """The application; settings come from the environment when none are given."""
    settings = settings or Settings()
    return build_app(
        settings,
        title="Rihla: notifications",
        description="Notices about trips and accounts, preferences, devices, and the deliveries of operations.",
        routers=[
            notification_service.preferences.api.router,
            notification_service.reading.api.router,
            notification_service.devices.api.router,
            notification_service.delivering.api.router,
            notification_service.codes.api.router,
            notification_service.live.api.router,
            notification_service.partner_webhooks.api.router,
        ],
        problems=problems,
        open_container=lambda: _listening(settings, clock or SystemClock()),
        checks=lambda c: {"database": c.db.check},
    )


@asynccontextmanager
async def _listening(settings: Settings, clock: Clock) -> AsyncIterator[Container]:
    """The container, with the live channel heard."""
    async with open_container(settings, clock) as c, c.watchers.listening():
        yield c
