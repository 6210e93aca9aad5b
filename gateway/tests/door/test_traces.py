"""With a collector the gateway is where a trace begins, and it alone decides what is recorded."""

from collections.abc import Iterator
from typing import Any

import pytest

from rihla.testing import eventually
from rihla.testing.collector import Collector, collector

SENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collector() as opened:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", opened.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        yield opened


@pytest.fixture
def unrecorded(traces: Collector, monkeypatch: pytest.MonkeyPatch) -> Collector:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")
    return traces


async def test_the_service_continues_the_gateways_span_in_the_callers_trace(traces: Collector, stack: Any) -> None:
    answer = await stack.client.get("/v1/flights/AX-17", headers={"traceparent": SENT})
    forwarded = dict(answer.json()["headers"])["traceparent"]
    name = "GET /v1/flights/{flight_id}"
    await eventually(lambda: name in [span.name for span in traces.spans])
    span = traces.named(name)
    assert (span.service, span.trace_id, span.parent_id) == ("rihla-gateway", SENT[3:35], SENT[36:52])
    assert forwarded == f"00-{span.trace_id}-{span.span_id}-01"
    assert "AX-17" not in repr(traces.spans)


async def test_a_caller_cannot_have_itself_recorded(unrecorded: Collector, stack: Any) -> None:
    answer = await stack.client.get("/v1/flights", headers={"traceparent": SENT[:-2] + "01"})
    assert dict(answer.json()["headers"])["traceparent"].endswith("-00")
