"""Health, metrics, the access log, maintenance and CORS."""

import json
from typing import Any

from gateway.door.cors import Cors
from gateway.telemetry.access_log import AccessLog
from gateway.telemetry.route_metrics import RouteMetrics
from rihla.testing import eventually


async def test_a_gateway_that_has_keys_and_revocations_is_ready(stack: Any) -> None:
    assert (await stack.client.get("/health/live")).json() == {"status": "ok"}
    ready = await stack.client.get("/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "ok"), ready.text
    assert set(ready.json()["checks"]) == {"keys", "revocations", "redis", "documents"}


async def test_each_service_has_one_line_and_its_readiness_shows(start: Any) -> None:
    stack = await start(probe_seconds=0.1)

    async def lines() -> dict[str, str]:
        services = (await stack.client.get("/health/services")).json()["services"]
        return {line["name"]: line["status"] for line in services}

    assert await lines() == {
        "auth": "ok", "flight": "ok", "booking": "ok", "payment": "ok", "notification": "not deployed", "chat": "ok",
    }  # fmt: skip
    stack.services["booking"].ready = False

    async def shows() -> bool:
        return (await lines())["booking"] == "down"

    assert await eventually(shows)


async def test_metrics_go_by_route_template_and_are_not_for_the_public(stack: Any) -> None:
    person = stack.sign_in()
    for number in range(3):
        await stack.client.get(f"/v1/bookings/{number}", headers=person.headers)
    text = (await stack.client.get("/metrics")).text
    assert 'gateway_requests_total{method="GET",route="/v1/bookings/{booking_id}",status="200"} 3.0' in text
    assert "/v1/bookings/1" not in text
    for header in ("X-Forwarded-For", "Forwarded", "Via"):
        assert (await stack.client.get("/metrics", headers={header: "203.0.113.9"})).status_code == 404


async def test_the_access_log_names_ids_and_templates_and_nobody(start: Any) -> None:
    stack = await start(access_log=True)
    written: list[bytes] = []
    stack.gateway._door._c.access_log._write = written.append
    person = stack.sign_in()
    await stack.client.get("/v1/bookings/77?surname=Rahman", headers={**person.headers, "X-Request-Id": "trace-me-1"})

    def line() -> dict[str, Any] | None:
        lines = [json.loads(each) for each in b"".join(written).splitlines()]
        return next((each for each in lines if each["request_id"] == "trace-me-1"), None)

    found = await eventually(line)
    assert (found["route"], found["status"], found["method"]) == ("/v1/bookings/{booking_id}", 200, "GET")
    assert found["user"] == f"user:{person.user_id}"
    assert 0 < found["upstream_ms"] <= found["ms"]
    assert b"Rahman" not in b"".join(written)
    assert person.token.encode() not in b"".join(written)


def test_a_log_whose_writer_is_stuck_drops_lines_and_counts_them() -> None:
    log = AccessLog(lambda data: None)
    for _ in range(50_010):
        log.add(request_id="x" * 8, user="", method="GET", route="/", status=200, seconds=0.0, upstream_seconds=0.0)
    assert log.dropped == 10


async def test_maintenance_closes_the_platform_but_not_webhooks_and_health(stack: Any) -> None:
    key = f"{stack.namespace}:maintenance"
    await stack.redis.set(key, "Back at 10:00 UTC.")

    async def closed() -> Any:
        answer = await stack.client.get("/v1/flights")
        return answer if answer.status_code == 503 else None

    answer = await eventually(closed)
    assert (answer.json()["code"], answer.json()["detail"]) == ("maintenance", "Back at 10:00 UTC.")
    assert "retry-after" in answer.headers
    assert (await stack.client.post("/v1/webhooks/stripe", content=b"{}")).status_code == 200
    assert (await stack.client.get("/health/ready")).status_code == 200
    await stack.redis.delete(key)

    async def open_again() -> bool:
        return (await stack.client.get("/v1/flights")).status_code == 200  # type: ignore[no-any-return]

    assert await eventually(open_again)


async def test_only_configured_origins_may_read_answers_in_a_browser(start: Any) -> None:
    stack = await start(cors_origins="https://app.rihla.example")
    ours = {"Origin": "https://app.rihla.example"}
    answer = await stack.client.get("/v1/flights", headers=ours)
    assert answer.headers["access-control-allow-origin"] == "https://app.rihla.example"
    assert "RateLimit" in answer.headers["access-control-expose-headers"]
    refused = await stack.client.get("/v1/bookings", headers=ours)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "https://app.rihla.example")
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    preflight = await stack.client.options("/v1/bookings", headers={**ours, **ask})
    assert (preflight.status_code, preflight.headers["access-control-allow-methods"]) == (204, "GET, POST")
    theirs = await stack.client.get("/v1/flights", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in theirs.headers
    assert (
        await stack.client.options("/v1/bookings", headers={"Origin": "https://evil.example", **ask})
    ).status_code == 405


def test_a_wildcard_never_comes_with_credentials() -> None:
    headers = dict(Cors(frozenset({"*"})).headers(b"https://any.example"))
    assert headers[b"access-control-allow-origin"] == b"*"
    assert b"access-control-allow-credentials" not in headers


def test_durations_are_cumulative() -> None:
    metrics = RouteMetrics()
    operation = metrics.of("/v1/x", "GET")
    for seconds in (0.0005, 0.003, 20.0):
        operation.record(200, seconds, 0.0)
    histogram = next(family for family in metrics.collect() if family.type == "histogram")
    counts = {sample.labels.get("le"): sample.value for sample in histogram.samples if sample.name.endswith("_bucket")}
    assert (counts["0.001"], counts["0.005"], counts["10.0"], counts["+Inf"]) == (1, 2, 2, 3)
