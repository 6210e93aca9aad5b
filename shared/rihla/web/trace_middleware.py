"""One span a request, child of the caller's W3C trace context."""

from typing import Any

from opentelemetry import propagate, trace

from rihla.web.middleware import ASGIApp, Receive, Scope, Send


class TraceMiddleware:
    """Plain ASGI: reads `traceparent`, opens a server span named after the route template."""

    def __init__(self, app: ASGIApp, *, tracer: trace.Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        carrier = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        parent = propagate.extract(carrier)
        with self._tracer.start_as_current_span(scope["method"], context=parent, kind=trace.SpanKind.SERVER) as span:

            async def answer(message: Any) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            await self._app(scope, receive, answer)
            route = getattr(scope.get("route"), "path", scope["path"])
            span.update_name(f"{scope['method']} {route}")
