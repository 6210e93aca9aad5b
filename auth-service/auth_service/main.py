"""The API process: `uvicorn --factory auth_service.main:create_app`."""

import asyncio

import httpx
from fastapi import FastAPI

import auth_service.access.api
import auth_service.administration.api
import auth_service.oidc.api
import auth_service.partners.api
import auth_service.passwords.api
import auth_service.people.api
import auth_service.people.internal_api
import auth_service.registration.api
import auth_service.sessions.api
import auth_service.two_factor.api
from auth_service.bootstrap import Pause, open_container
from auth_service.problems import problems
from auth_service.settings import Settings
from rihla.kernel import Clock, SystemClock
from rihla.web import build_app


def create_app(
    settings: Settings | None = None,
    *,
    clock: Clock | None = None,
    pause: Pause = asyncio.sleep,
    provider_transport: httpx.AsyncBaseTransport | None = None,
) -> FastAPI:
    """The application; settings come from the environment when none are given."""
    settings = settings or Settings()
    return build_app(
        settings,
        title="Rihla: identity",
        description="Accounts, codes, sessions, two-factor sign-in, OpenID Connect, partner keys and roles.",
        routers=[
            auth_service.access.api.router,
            auth_service.registration.api.router,
            auth_service.sessions.api.router,
            auth_service.two_factor.api.router,
            auth_service.oidc.api.router,
            auth_service.passwords.api.router,
            auth_service.people.api.router,
            auth_service.people.internal_api.router,
            auth_service.partners.api.router,
            auth_service.administration.api.router,
        ],
        problems=problems,
        open_container=lambda: open_container(
            settings, clock or SystemClock(), pause=pause, provider_transport=provider_transport
        ),
        checks=lambda c: {"database": c.db.check},
    )
