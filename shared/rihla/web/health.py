"""Health: alive without I/O, ready with the state of each thing needed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from rihla.telemetry import CONTENT_TYPE_LATEST, generate_latest, get_logger

Check = Callable[[], Awaitable[object]]
Checks = Mapping[str, Check]
_PATIENCE = 3.0
log = get_logger("health")


async def _state(check: Check) -> str:
    try:
        async with asyncio.timeout(_PATIENCE):
            await check()
    except Exception as error:
        log.warning("check_failed", error=type(error).__name__)
        return "failed"
    return "ok"


def health_router() -> APIRouter:
    """`/health/live`, `/health/ready` and `/metrics`; the gateway forwards none of them."""
    router = APIRouter(include_in_schema=False)

    @router.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/health/ready")
    async def ready(request: Request) -> JSONResponse:
        checks: Checks = request.app.state.checks
        states = dict(zip(checks, await asyncio.gather(*map(_state, checks.values())), strict=True))
        well = all(state == "ok" for state in states.values())
        body: dict[str, Any] = {"status": "ok" if well else "failed", "checks": states}
        return JSONResponse(body, 200 if well else 503)

    @router.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router
