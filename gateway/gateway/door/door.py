"""The door: a plain ASGI application, since it is on the path of every request (stack.md, "Gateway").

The order of its questions is the contract: is the path clear, is it known, has it the method (404 and 405 before any
credential), is the platform open, who calls, has the caller enough left, may the caller do this, is there room, is
the body acceptable.
"""

from __future__ import annotations

import time
from typing import Any

from gateway import problems
from gateway.bootstrap import Container
from gateway.catalogue.answers import KeptAnswer, may_keep
from gateway.door.bodies import discard_rest, read_body
from gateway.door.client_address import bucket_of, client_address
from gateway.door.exchange import ClientGone, Exchange, Receive, Scope, Send
from gateway.door.headers import Arrived, RepeatedHeader, back_to_client, request_id, traceparent
from gateway.door.path_table import KnownPath, Operation
from gateway.door.paths import UnclearPath, clean_path
from gateway.identity.authenticate import permit
from gateway.identity.caller import Caller
from gateway.limits.limiter import Account
from gateway.problems import Header, Refused
from gateway.routes import Route, Who
from gateway.upstreams.forward import read_whole
from gateway.upstreams.pool import places
from rihla.telemetry import get_logger

_log = get_logger(__name__)
_CLIENT_GONE = 499
_NO_LIMITS = (b"/health/", b"/metrics")


class Door:
    """One per process. `own` serves the gateway's own pages."""

    def __init__(self, container: Container, own: Any) -> None:
        self._c = container
        self._own = own
        self._places = places(container.settings.max_in_flight)
        self._in_flight = 0
        self._unrouted = container.metrics.of("(none)", "-")
        self._own_metrics = container.metrics.of("(own)", "GET")
        self._common = common_headers(container.settings.public_url)

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; whatever happens, it is answered, counted and logged."""
        exchange = Exchange(scope, receive, send, self._common)
        try:
            await self._handle(exchange, scope)
        except Refused as refused:
            await self._refuse(exchange, refused)
        except ClientGone:
            exchange.status = _CLIENT_GONE
        except Exception as error:
            if exchange.status:
                exchange.status = _CLIENT_GONE if isinstance(error, OSError) else exchange.status
                raise  # the server cuts the connection, so that half an answer is not taken for a whole one
            _log.error("gateway_failed", request_id=exchange.request_id, exc_info=error)
            await self._refuse(exchange, Refused(problems.INTERNAL_ERROR, "Tell support the request id."))
        finally:
            self._record(exchange)

    async def _handle(self, exchange: Exchange, scope: Scope) -> None:
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        self._greet(exchange, scope)
        try:
            exchange.path = path = clean_path(raw)
        except UnclearPath:
            await self._spend(exchange, None)
            raise Refused(
                problems.UNCLEAR_PATH, "Write the path plainly, without `..`, `//`, `;` or encoded slashes."
            ) from None
        if path in self._c.own_paths:
            await self._serve_own(exchange, scope)
            return
        known = self._c.paths.table.find(path)
        operation = known.operations.get(exchange.method) if known is not None else None
        if known is None or operation is None:
            await self._unknown(exchange, known)
            return
        exchange.operation = operation
        scope["route_template"] = operation.template
        await self._admit(exchange, operation.route)
        await self._pass_on(exchange, operation)

    def _greet(self, exchange: Exchange, scope: Scope) -> None:
        """Read the headers. Raises `Refused` (400, 431)."""
        settings = self._c.settings
        peer = scope["client"][0] if scope.get("client") else "unknown"
        try:
            arrived = exchange.arrived = Arrived(scope["headers"])
        except RepeatedHeader:
            exchange.request_id = request_id(None)
            raise Refused(problems.MALFORMED_REQUEST, "A header that may come once came twice.") from None
        exchange.request_id = request_id(arrived.named.get(b"x-request-id"))
        exchange.address = client_address(peer, arrived.text(b"x-forwarded-for"), settings.proxy_networks)
        if self._c.cors.enabled:
            exchange.common = self._common + self._c.cors.headers(arrived.named.get(b"origin"))
        if arrived.size > settings.max_header_bytes:
            raise Refused(
                problems.HEADERS_TOO_LARGE, f"At most {settings.max_header_bytes} bytes of headers are taken."
            )

    async def _unknown(self, exchange: Exchange, known: KnownPath | None) -> None:
        """404 and 405, and preflights of web pages; each pays from its address's bucket."""
        await self._spend(exchange, None)
        if known is None:
            raise Refused(problems.NOT_FOUND, "There is nothing at this path; /docs lists what there is.")
        if exchange.method == "OPTIONS" and b"access-control-request-method" in exchange.arrived.named:
            headers = self._c.cors.preflight(exchange.arrived.named.get(b"origin"), known.allow)
            if headers is not None:
                await exchange.answer(204, headers)
                return
        detail = f"Here one can {known.allow.decode()}."
        raise Refused(problems.METHOD_NOT_ALLOWED, detail, ((b"allow", known.allow),))

    async def _admit(self, exchange: Exchange, route: Route) -> None:
        """Credentials, limits and roles. Raises `Refused` (401, 403, 429, 503)."""
        c = self._c
        if c.maintenance.message and not route.in_maintenance:
            raise Refused(problems.MAINTENANCE, c.maintenance.message)
        arrived = exchange.arrived
        try:
            exchange.caller = await c.authenticator.caller(
                arrived.text(b"authorization"), arrived.text(b"x-api-key"), route.who
            )
        except Refused:
            await self._spend(exchange, None)  # guessing credentials costs the address it is done from
            raise
        await self._spend(exchange, route)
        permit(exchange.caller, route, exchange.method)
        if self._in_flight >= self._places[route.importance]:
            raise Refused(problems.OVERLOADED, "Too much is going on at the moment; try again in a moment.")

    async def _spend(self, exchange: Exchange, route: Route | None) -> None:
        """Take from the bucket that pays. Raises `Refused` (429). Without a route the address's read bucket pays."""
        c = self._c
        address = bucket_of(exchange.address)
        if route is None or exchange.caller is None:
            exchange.account = account = c.limiter.account(c.quotas.read_address, address)
            passes = await c.limiter.spend(account)
        else:
            quota, key = c.quotas.choose(route.limits, exchange.method == "GET", exchange.caller, address)
            exchange.account = account = c.limiter.account(quota, key)
            passes = await c.limiter.spend(account, route.without_redis)
        if not passes:
            raise too_many(account)

    async def _pass_on(self, exchange: Exchange, operation: Operation) -> None:
        c, route = self._c, operation.route
        body = await read_body(exchange, route.body, c.settings.body_timeout)
        self._in_flight += 1
        try:
            if route.cache and operation.method == "GET" and body is None:
                await self._from_catalogue(exchange, operation)
            else:
                upstream = c.upstreams.by_name[route.upstream]
                headers = self._headers(exchange, route, exchange.caller)
                await c.forwarder.carry(exchange, operation, upstream, headers, body)
                if route.who is Who.STAFF and operation.method != "GET":
                    c.kept_answers.forget()
        finally:
            self._in_flight -= 1

    def _headers(self, exchange: Exchange, route: Route, caller: Caller | None) -> list[tuple[str, str]]:
        """What the service is told: the client's own headers, and who is asking."""
        headers = exchange.arrived.forward
        named = exchange.arrived.named
        headers.append(
            (
                "Authorization",
                self._c.internal_tokens.authorization(caller or self._c.authenticator.anonymous, route.upstream),
            )
        )
        if route.hands_on and caller is not None and caller.kind == "person":
            for name in route.hands_on:
                token = self._c.internal_tokens.for_reading(caller, name)
                headers.append((f"X-Internal-{name.capitalize()}-Authorization", token))
        headers.append(("X-Request-Id", exchange.request_id))
        headers.append(("traceparent", traceparent(named.get(b"traceparent"))))
        headers.append(("X-Client-Ip", exchange.address))
        agent = named.get(b"user-agent")
        if agent is not None:
            headers.append(("X-Client-Agent", agent.decode("latin-1")[:200]))
        if b"content-length" in named and int(named[b"content-length"]) > 0:
            headers.append(("Content-Length", named[b"content-length"].decode()))
        return headers

    async def _from_catalogue(self, exchange: Exchange, operation: Operation) -> None:
        c, route = self._c, operation.route
        assert exchange.caller is not None
        test_mode = exchange.caller.principal.test_mode
        named = exchange.arrived.named
        key = (
            exchange.path,
            exchange.query,
            named.get(b"accept-language", b""),
            named.get(b"accept-encoding", b""),
            test_mode,
        )
        kept = c.kept_answers.get(key)
        if kept is None:
            kept = await c.kept_answers.get_or_ask(key, lambda: self._ask_catalogue(exchange, operation))
            if exchange.status:
                return
        if kept is None:
            upstream = c.upstreams.by_name[route.upstream]
            await c.forwarder.carry(
                exchange, operation, upstream, self._headers(exchange, route, exchange.caller), None
            )
            return
        head = kept.head(shared=not test_mode)
        if kept.matches(named.get(b"if-none-match")):
            await exchange.answer(304, head)
        else:
            await exchange.answer(200, [*kept.headers, *head, (b"age", b"%d" % kept.age)], kept.body)

    async def _ask_catalogue(self, exchange: Exchange, operation: Operation) -> KeptAnswer | None:
        """The service's answer if it may be kept; else the exchange is answered with it."""
        c, route = self._c, operation.route
        upstream = c.upstreams.by_name[route.upstream]
        caller = exchange.caller
        if caller is not None and not caller.principal.test_mode:
            caller = None  # what everybody is given is asked for by nobody in particular
        headers = [
            (name, value) for name, value in self._headers(exchange, route, caller) if not name.startswith("if-")
        ]
        instance, answer = await c.forwarder.ask(exchange, operation, upstream, headers, None)
        try:
            kept_headers = back_to_client(answer.raw_headers)
            body = await read_whole(answer, upstream)
        finally:
            instance.leave()
            answer.release()
        if may_keep(answer.status, kept_headers):
            return KeptAnswer(kept_headers, body, route.cache)
        await exchange.answer(answer.status, kept_headers, body)
        return None

    async def _serve_own(self, exchange: Exchange, scope: Scope) -> None:
        if not exchange.path.startswith(_NO_LIMITS):
            await self._spend(exchange, None)

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                message["headers"] = exchange.finished(message.get("headers", ()))
            await exchange.send(message)

        await self._own({**scope, "rihla_request_id": exchange.request_id}, exchange.receive, send)

    async def _refuse(self, exchange: Exchange, refused: Refused) -> None:
        if exchange.status == 0:
            if refused.problem is problems.BODY_TOO_LARGE:
                await discard_rest(exchange)
            await exchange.refuse(refused)

    def _record(self, exchange: Exchange) -> None:
        operation, caller = exchange.operation, exchange.caller
        seconds = time.perf_counter() - exchange.started
        if operation is not None:
            metrics = operation.metrics
        else:
            metrics = self._own_metrics if exchange.path in self._c.own_paths else self._unrouted
        metrics.record(exchange.status, seconds, exchange.upstream_seconds)
        self._c.access_log.add(
            request_id=exchange.request_id,
            user=caller.bucket if caller is not None and caller.kind != "anonymous" else "",
            method=exchange.method,
            route=metrics.template,
            status=exchange.status,
            seconds=seconds,
            upstream_seconds=exchange.upstream_seconds,
        )


def too_many(account: Account) -> Refused:
    """429 with the seconds until the bucket has a token again."""
    wait = account.retry_after()
    detail = f"The limit of {account.quota.quota} a minute is used up; try again in {wait} s."
    return Refused(problems.RATE_LIMITED, detail, ((b"retry-after", b"%d" % wait),))


def common_headers(public_url: str) -> tuple[Header, ...]:
    """What every answer carries. The reference pages replace the content policy by their own."""
    headers: list[Header] = [
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-resource-policy", b"cross-origin"),
    ]
    if public_url.startswith("https://"):
        headers.append((b"strict-transport-security", b"max-age=31536000; includeSubDomains"))
    return tuple(headers)
