"""One span a request, child of the caller's W3C trace context."""

from typing import Any

from opentelemetry import propagate, trace

from rihla.tracing import current_traceparent, trace_with
from rihla.web.middleware import ASGIApp, Receive, Scope, Send


class TraceMiddleware:
    """Plain ASGI: reads `traceparent`, opens a server span named after the route template.

    With `forward`, the application finds this span in `traceparent`, as a proxy that passes the header on needs it.
    A request no route took is named by its method alone: paths of strangers are no names, and may tell of people.
    """

    def __init__(self, app: ASGIApp, *, tracer: trace.Tracer, forward: bool = False) -> None:
        self._app = app
        self._tracer = tracer
        self._forward = forward

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        trace_with(self._tracer)
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        carrier = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        parent = propagate.extract(carrier)
        with self._tracer.start_as_current_span(
            scope["method"],
            context=parent,
            kind=trace.SpanKind.SERVER,
            record_exception=False,  # a message may quote what a person typed
            set_status_on_exception=False,
        ) as span:

            async def answer(message: Any) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_status(trace.StatusCode.ERROR)
                await send(message)

            if self._forward:
                scope["headers"] = _with_own(scope["headers"])
            await self._app(scope, receive, answer)
            route = getattr(scope.get("route"), "path", None) or scope.get("route_template")
            if route:
                span.update_name(f"{scope['method']} {route}")
                span.set_attribute("http.route", route)
            request_id = scope.get("state", {}).get("request_id")
            if request_id:
                span.set_attribute("rihla.request_id", request_id)


def _with_own(headers: Any) -> list[tuple[bytes, bytes]]:
    """The headers with the current span as `traceparent`."""
    own = (current_traceparent() or "").encode()
    return [*(pair for pair in headers if pair[0] != b"traceparent"), (b"traceparent", own)]
