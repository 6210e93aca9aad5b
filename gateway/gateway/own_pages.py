"""The gateway's own pages, the only part that runs on FastAPI."""

from __future__ import annotations

from fastapi import FastAPI

from gateway.bootstrap import Container
from gateway.health.api import router as health_router
from gateway.reference.api import router as reference_router

OWN_PATHS = frozenset(
    (
        b"/",
        b"/docs",
        b"/docs/reference.js",
        b"/docs/reference.css",
        b"/partners",
        b"/openapi.json",
        b"/health/live",
        b"/health/ready",
        b"/health/services",
        b"/metrics",
    )
)


def own_app(container: Container) -> FastAPI:
    """Health, metrics, the public description. FastAPI's own documentation routes are off: `/docs` is ours."""
    app = FastAPI(title="Rihla gateway", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.container = container
    app.include_router(health_router)
    app.include_router(reference_router)
    return app
