"""Traces leave the process when an OTLP endpoint is set; otherwise nothing is installed and nothing is paid.

Who made the current task (a request, a consumed event, a worker's loops) decides which tracer its spans go to: the
tracer lives in a context variable, so that several applications of one test process do not mix.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

    from rihla.settings import ServiceSettings

Kind = Literal["SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
_TRACER: ContextVar[Tracer | None] = ContextVar("rihla_tracer", default=None)
_FLUSH_SECONDS = 3.0


def start_tracing(app: Any, settings: ServiceSettings) -> None:
    """Instrument `app` when OTEL_EXPORTER_OTLP_ENDPOINT is set (W3C trace context comes in by `traceparent`)."""
    provider = open_provider(settings.service)
    if provider is None:
        return
    from rihla.web.trace_middleware import TraceMiddleware

    app.state.tracer_provider = provider
    app.add_middleware(TraceMiddleware, tracer=provider.get_tracer("rihla"))


def open_provider(service: str, *, edge: bool = False) -> TracerProvider | None:
    """A provider that sends spans to OTEL_EXPORTER_OTLP_ENDPOINT, or None when that is not set.

    At the `edge` the caller is the public: its trace id is kept, whether it is recorded is our decision
    (OTEL_TRACES_SAMPLER_ARG, a share from 0 to 1, default 1). Inside, the standard OTEL_TRACES_SAMPLER decides.
    """
    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

    share = float(os.environ.get("OTEL_TRACES_SAMPLER_ARG") or 1.0)
    provider = TracerProvider(
        resource=Resource.create({"service.name": f"rihla-{service}"}),
        sampler=TraceIdRatioBased(share) if edge else None,
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


async def stop_tracing(provider: TracerProvider | None) -> None:
    """Send what is still here; a collector that does not answer is waited for three seconds at most."""
    if provider is None:
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_FLUSH_SECONDS):
            await asyncio.to_thread(provider.shutdown)


def is_tracing() -> bool:
    """Whether spans of this task go anywhere."""
    return _TRACER.get() is not None


def trace_with(tracer: Tracer | None) -> None:
    """Spans of this task, and of tasks it starts from now on, go to `tracer`."""
    _TRACER.set(tracer)


@contextlib.contextmanager
def span(name: str, kind: Kind, *, parent: str | None = None, **attributes: str | int) -> Iterator[Span | None]:
    """A span below `parent` (a `traceparent`), or below the current one; None without tracing.

    Work that nobody asked for (a sweeper's round) has neither and makes no span: it would be noise without a beginning.
    """
    tracer = _TRACER.get()
    if tracer is None or (parent is None and current_traceparent() is None):
        yield None
        return
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent else None
    given = {key.replace("__", "."): value for key, value in attributes.items()}
    with tracer.start_as_current_span(
        name, context, trace.SpanKind[kind], given, record_exception=False, set_status_on_exception=False
    ) as opened:
        try:
            yield opened
        except Exception as error:
            # Its type only: a message may quote what a person typed.
            opened.set_attribute("error.type", type(error).__name__)
            opened.set_status(trace.StatusCode.ERROR)
            raise


def current_traceparent() -> str | None:
    """The W3C `traceparent` of the span this task is in, or None."""
    if _TRACER.get() is None:
        return None
    from opentelemetry import trace

    here = trace.get_current_span().get_span_context()
    return f"00-{here.trace_id:032x}-{here.span_id:016x}-{int(here.trace_flags):02x}" if here.is_valid else None
