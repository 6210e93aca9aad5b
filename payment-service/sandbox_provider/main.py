"""The sandbox company's process: API, confirmation pages, and the loops that settle and deliver."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from httpx_aiohttp import AiohttpTransport

from rihla.db import Database
from rihla.ending import end
from rihla.kernel import Clock, SystemClock
from rihla.telemetry import CONTENT_TYPE_LATEST, configure_logging, generate_latest, get_logger
from sandbox_provider.api import api, pages
from sandbox_provider.deliveries import MOST_DELIVERED, Deliveries
from sandbox_provider.express_lane import open_express_lane
from sandbox_provider.payments import MOST_SETTLED, Payments, Refused
from sandbox_provider.settings import Settings

_log = get_logger(__name__)


def create_app(
    settings: Settings | None = None,
    *,
    clock: Clock | None = None,
    webhook_transport: httpx.AsyncBaseTransport | None = None,
) -> FastAPI:
    """Build the application; `webhook_transport` lets a test receive webhooks without a socket."""
    settings = settings or Settings()
    clock = clock or SystemClock()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        configure_logging("sandbox-provider", settings.log_level)
        db = Database(settings.database_url, pool_size=settings.db_pool_size, application_name="sandbox-provider")
        async with webhook_transport or AiohttpTransport() as transport:
            app.state.settings, app.state.db = settings, db
            app.state.payments = payments = Payments(db, settings, clock)
            deliveries = Deliveries(db, transport, settings, clock)
            jobs = ((payments.settle_due, MOST_SETTLED), (deliveries.send_due, MOST_DELIVERED))
            loops = [asyncio.create_task(_repeat(job, most, settings.poll_seconds)) for job, most in jobs]
            try:
                yield
            finally:
                await end(loops)
                await payments.close()
                await db.close()

    app = FastAPI(title="Sandbox payment company", version="1", lifespan=lifespan)
    app.include_router(api)
    app.include_router(pages)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    _add_health(app)
    open_express_lane(app)
    return app


def _add_health(app: FastAPI) -> None:
    @app.get("/health/live", include_in_schema=False)
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/health/ready", include_in_schema=False)
    async def ready(request: Request) -> JSONResponse:
        try:
            await request.app.state.db.check()
        except Exception:
            _log.warning("database_unavailable", exc_info=True)
            return JSONResponse({"status": "failing", "checks": {"database": {"status": "failing"}}}, status_code=503)
        return JSONResponse({"status": "ok", "checks": {"database": {"status": "ok"}}})

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _repeat(job: Callable[[], Awaitable[int]], most: int, pause: float) -> None:
    """Run a job for ever: at once again when it did the most it does, else after a pause, in which work gathers."""
    while True:
        try:
            found = await job()
        except Exception:
            _log.exception("loop_failed", job=getattr(job, "__name__", "job"))
            found = 0
        await asyncio.sleep(0 if found >= most else pause)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return JSONResponse({"error": {"code": error.code, "message": error.message}}, status_code=error.status)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    """Which fields are wrong, never what was in them."""
    assert isinstance(error, RequestValidationError)
    fields = [".".join(str(step) for step in item["loc"]) for item in error.errors()]
    return JSONResponse({"error": {"code": "invalid_request", "message": ", ".join(fields)}}, status_code=422)
