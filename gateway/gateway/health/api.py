"""Health and metrics."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from gateway import problems
from gateway.bootstrap import Container
from gateway.identity.revocations import describe

router = APIRouter()
_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip", "via")


def _container(request: Request) -> Container:
    container: Container = request.app.state.container
    return container


@router.get("/health/live")
async def live() -> dict[str, str]:
    """The process answers. No I/O."""
    return {"status": "ok"}


@router.get("/health/ready")
async def ready(request: Request) -> JSONResponse:
    """503 until keys and revocations have been loaded once. `degraded` names what works in a lesser way: with Redis
    gone limits count per process."""
    c = _container(request)
    redis_problem = await c.buckets.check()
    revocations = describe(c.revocations)
    checks: dict[str, dict[str, Any]] = {
        "keys": {"status": "ok"}
        if c.keys.ready
        else {"status": "failed", "detail": "no public key of auth-service seen yet"},
        "revocations": {**revocations, "status": "failed" if not c.revocations.loaded else revocations["status"]},
        "redis": {"status": "ok"}
        if redis_problem is None
        else {"status": "degraded", "detail": "limits are local to each process"},
        "documents": {"status": "degraded", "detail": f"not seen: {', '.join(c.paths.missing)}"}
        if c.paths.missing
        else {"status": "ok"},
    }
    if c.paths.table.unclaimed:
        checks["routes"] = {
            "status": "degraded",
            "detail": f"paths without a route: {', '.join(c.paths.table.unclaimed)}",
        }
    states = {check["status"] for check in checks.values()}
    status = "failed" if "failed" in states else "degraded" if "degraded" in states else "ok"
    body: dict[str, Any] = {
        "status": status,
        "checks": {name: check["status"] for name, check in checks.items()},
        "details": {name: check["detail"] for name, check in checks.items() if "detail" in check},
    }
    if c.maintenance.message:
        body["maintenance"] = c.maintenance.message
    return JSONResponse(body, 503 if status == "failed" else 200)


@router.get("/health/services")
async def services(request: Request) -> JSONResponse:
    """One line a service, from the last probe (at most two seconds old)."""
    lines = []
    for name, upstream in _container(request).upstreams.by_name.items():
        instances = upstream.instances
        well = sum(instance.well and not instance.breaker.is_open for instance in instances)
        status = "not deployed" if not instances else "ok" if well == len(instances) else "degraded" if well else "down"
        line: dict[str, Any] = {"name": name, "status": status, "instances": len(instances), "well": well}
        if instances:
            slowest = max(instances, key=lambda instance: instance.seconds)
            line["ms"] = round(slowest.seconds * 1000, 1)
            line["in_flight"] = sum(instance.in_flight for instance in instances)
            ill = [instance.detail for instance in instances if not instance.well]
            if ill:
                line["detail"] = "; ".join(ill)
        lines.append(line)
    deployed = [line["status"] for line in lines if line["status"] != "not deployed"]
    status = "ok" if all(state == "ok" for state in deployed) else "degraded"
    return JSONResponse({"status": status, "services": lines}, headers={"cache-control": "no-store"})


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """For Prometheus on this machine or network; whoever comes through a proxy or from a public address finds
    nothing."""
    c = _container(request)
    if not _from_inside(request):
        problem = problems.NOT_FOUND
        body = problem.body(request.scope["rihla_request_id"], "There is nothing at this path.")
        return Response(body, problem.status, media_type="application/problem+json")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(c.metrics)
    registry.register(Gauges(c))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _from_inside(request: Request) -> bool:
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        peer = ip_address(request.client.host)
    except ValueError:
        return False
    return peer.is_loopback or peer.is_private


class Gauges:
    """What is true right now, for Prometheus."""

    def __init__(self, container: Container) -> None:
        self._c = container

    def describe(self) -> list[Any]:
        """Nothing before the first scrape."""
        return []

    def collect(self) -> list[Any]:
        """The families Prometheus reads."""
        from prometheus_client.core import GaugeMetricFamily

        in_flight = GaugeMetricFamily("gateway_upstream_in_flight", "Requests inside a service", labels=("upstream",))
        well = GaugeMetricFamily("gateway_upstream_well", "Instances that are well", labels=("upstream",))
        for name, upstream in self._c.upstreams.by_name.items():
            in_flight.add_metric((name,), sum(instance.in_flight for instance in upstream.instances))
            well.add_metric((name,), sum(instance.well for instance in upstream.instances))
        local = GaugeMetricFamily("gateway_limits_local", "1 while Redis is gone", value=int(self._c.limiter.local))
        dropped = GaugeMetricFamily("gateway_access_log_dropped", "Lines not written", value=self._c.access_log.dropped)
        return [in_flight, well, local, dropped]
