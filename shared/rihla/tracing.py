"""Traces leave the process when an OTLP endpoint is set; otherwise nothing is installed and nothing is paid."""

import os
from typing import Any

from rihla.settings import ServiceSettings


def start_tracing(app: Any, settings: ServiceSettings) -> None:
    """Instrument `app` when OTEL_EXPORTER_OTLP_ENDPOINT is set (W3C trace context comes in by `traceparent`)."""
    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from rihla.web.trace_middleware import TraceMiddleware

    provider = TracerProvider(resource=Resource.create({"service.name": f"rihla-{settings.service}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    app.state.tracer_provider = provider
    app.add_middleware(TraceMiddleware, tracer=provider.get_tracer("rihla"))
