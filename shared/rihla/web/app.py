"""Builds a service's application and its worker: the same health, problems, ids and metrics everywhere."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.routing import APIRoute

from rihla.auth.tokens import TokenVerifier
from rihla.problem_schema import PROBLEM_SCHEMA
from rihla.settings import ServiceSettings
from rihla.telemetry import configure_logging
from rihla.tracing import start_tracing, stop_tracing, trace_with
from rihla.web.health import Check, health_router
from rihla.web.loops import Loop, LoopGroup
from rihla.web.middleware import RequestMiddleware
from rihla.web.problems import ProblemTable, install_problem_handlers

OpenContainer = Callable[[], AbstractAsyncContextManager[Any]]
ChecksOf = Callable[[Any], Mapping[str, Check]]
_BODY_LIMIT = 1_048_576


async def container(request: Request) -> Any:
    """Dependency: what `bootstrap.open_container` made."""
    return request.app.state.container


def _no_checks(_: Any) -> Mapping[str, Check]:
    return {}


def build_app(
    settings: ServiceSettings,
    *,
    title: str,
    open_container: OpenContainer,
    routers: Sequence[APIRouter] = (),
    problems: ProblemTable | None = None,
    checks: ChecksOf = _no_checks,
    description: str = "",
    body_limit: int = _BODY_LIMIT,
) -> FastAPI:
    """A FastAPI application with RFC 9457 problems, request ids, health, metrics and the internal-token verifier.

    The container is opened by the lifespan and found at `app.state.container`.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        configure_logging(settings.service, settings.log_level)
        provider = getattr(app.state, "tracer_provider", None)
        trace_with(provider.get_tracer("rihla") if provider else None)
        try:
            async with open_container() as opened:
                app.state.container = opened
                app.state.checks = checks(opened)
                yield
        finally:
            await stop_tracing(provider)

    app = FastAPI(
        title=title,
        description=description,
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        # Spans and metrics are ours (rihla.tracing, rihla.telemetry): FastAPI's own would tell everything twice.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.settings = settings
    app.state.checks = {}
    app.state.verifier = TokenVerifier(settings.service_jwks, settings.service)
    table = problems or ProblemTable({})
    app.state.problems = table
    install_problem_handlers(app, table)
    app.include_router(health_router())
    for router in routers:
        app.include_router(router)
    app.add_middleware(RequestMiddleware, service=settings.service, body_limit=body_limit, state=app.state)
    start_tracing(app, settings)
    _add_problem_schema(app)
    return app


def build_worker(
    settings: ServiceSettings,
    *,
    open_container: OpenContainer,
    run: Callable[[Any], Sequence[Loop]],
    checks: ChecksOf = _no_checks,
) -> FastAPI:
    """A worker: the loops `run` names, each restarted with back-off when it fails, beside health and metrics."""

    @asynccontextmanager
    async def opened_with_loops() -> AsyncIterator[Any]:
        async with open_container() as opened:
            group = LoopGroup(run(opened))
            group.start()
            try:
                yield opened
            finally:
                with contextlib.suppress(asyncio.CancelledError):
                    await group.stop()

    return build_app(settings, title=f"{settings.service} worker", open_container=opened_with_loops, checks=checks)


def _operation_id(route: APIRoute) -> str:
    return route.name


def _add_problem_schema(app: FastAPI) -> None:
    plain = app.openapi

    def with_problem() -> dict[str, Any]:
        document = plain()
        document.setdefault("components", {}).setdefault("schemas", {}).setdefault("Problem", PROBLEM_SCHEMA)
        return document

    app.openapi = with_problem  # type: ignore[method-assign]


__all__ = ["build_app", "build_worker", "container"]
