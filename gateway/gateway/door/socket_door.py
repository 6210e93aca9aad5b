"""The door for WebSockets: the same questions as for a request, asked before the handshake is answered."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import aiohttp

from gateway import problems
from gateway.bootstrap import Container
from gateway.door.client_address import bucket_of, client_address
from gateway.door.door import common_headers, too_many
from gateway.door.exchange import Exchange, Receive, Scope, Send
from gateway.door.headers import Arrived, RepeatedHeader, request_id, traceparent
from gateway.door.path_table import Operation
from gateway.door.paths import UnclearPath, clean_path
from gateway.identity.authenticate import permit
from gateway.identity.caller import Caller
from gateway.problems import Refused
from gateway.upstreams.pool import Instance
from gateway.upstreams.websockets import SIGNED_OUT, Tunnel, refuse, too_many_sockets
from rihla.telemetry import get_logger

_log = get_logger(__name__)
_TOKEN_PROTOCOL = "bearer."
"""Browsers cannot set headers on a WebSocket; they may offer the sub-protocol `bearer.<token>`, which is never
passed on."""
_TOKEN_PARAMETER = "access_token"


class SocketDoor:
    """One per process."""

    def __init__(self, container: Container) -> None:
        self._c = container
        self._common = common_headers(container.settings.public_url)

    async def websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one WebSocket from handshake to end."""
        exchange = Exchange(scope, receive, send, self._common)
        await receive()  # websocket.connect
        try:
            operation, protocols = await self._admit(exchange, scope)
            await self._tunnel(exchange, operation, protocols)
        except Refused as refused:
            await refuse(exchange, scope.get("extensions"), refused)
        finally:
            self._record(exchange)

    async def _admit(self, exchange: Exchange, scope: Scope) -> tuple[Operation, list[str]]:
        c = self._c
        try:
            arrived = exchange.arrived = Arrived(scope["headers"])
            exchange.path = clean_path(scope.get("raw_path") or scope["path"].encode())
        except (RepeatedHeader, UnclearPath):
            exchange.request_id = request_id(None)
            raise Refused(problems.UNCLEAR_PATH, "The request cannot be read in one way only.") from None
        exchange.request_id = request_id(arrived.named.get(b"x-request-id"))
        peer = scope["client"][0] if scope.get("client") else "unknown"
        exchange.address = client_address(peer, arrived.text(b"x-forwarded-for"), c.settings.proxy_networks)
        known = c.paths.table.find(exchange.path)
        operation = known.operations.get("GET") if known is not None else None
        if operation is None or not operation.route.websocket:
            raise Refused(problems.NOT_FOUND, "There is no WebSocket at this path.")
        exchange.operation = operation
        if c.maintenance.message:
            raise Refused(problems.MAINTENANCE, c.maintenance.message)
        protocols = [str(protocol) for protocol in scope.get("subprotocols", ())]
        exchange.caller = caller = await self._caller(exchange, protocols, operation)
        await self._spend(exchange, caller)
        permit(caller, operation.route, "GET")
        most = c.settings.websockets_per_user
        if c.open_sockets.count(caller) >= most:
            raise too_many_sockets(most)
        return operation, [protocol for protocol in protocols if not protocol.startswith(_TOKEN_PROTOCOL)]

    async def _caller(self, exchange: Exchange, protocols: list[str], operation: Operation) -> Caller:
        """From the Authorization header, `?access_token=`, or a sub-protocol, in this order."""
        arrived = exchange.arrived
        authorization, api_key = arrived.text(b"authorization"), arrived.text(b"x-api-key")
        parameters = parse_qsl(exchange.query.decode("latin-1"), keep_blank_values=True)
        exchange.query = urlencode([(name, value) for name, value in parameters if name != _TOKEN_PARAMETER]).encode()
        if authorization is None and api_key is None:
            offered = [value for name, value in parameters if name == _TOKEN_PARAMETER]
            offered += [
                protocol.removeprefix(_TOKEN_PROTOCOL) for protocol in protocols if protocol.startswith(_TOKEN_PROTOCOL)
            ]
            if offered:
                authorization = f"Bearer {offered[0]}"
        try:
            return await self._c.authenticator.caller(authorization, api_key, operation.route.who)
        except Refused:
            await self._spend(exchange, None)
            raise

    async def _spend(self, exchange: Exchange, caller: Caller | None) -> None:
        c = self._c
        address = bucket_of(exchange.address)
        if caller is None or exchange.operation is None:
            quota, key = c.quotas.read_address, address
        else:
            quota, key = c.quotas.choose(exchange.operation.route.limits, True, caller, address)
        exchange.account = account = c.limiter.account(quota, key)
        if not await c.limiter.spend(account):
            raise too_many(account)

    async def _tunnel(self, exchange: Exchange, operation: Operation, protocols: list[str]) -> None:
        c, caller = self._c, exchange.caller
        assert caller is not None
        upstream = c.upstreams.by_name[operation.route.upstream]
        instance = upstream.choose(operation.route.importance)
        instance.in_flight += 1
        try:
            service = await self._connect(exchange, operation, instance, protocols)
            await exchange.send(
                {"type": "websocket.accept", "subprotocol": service.protocol, "headers": exchange.finished(())}
            )
            exchange.status = 101
            tunnel = Tunnel(exchange.receive, exchange.send, service, c.settings)
            ticket = c.open_sockets.add(caller, tunnel.end)
            if c.revocations.is_revoked(caller):  # while the service was asked
                tunnel.end(SIGNED_OUT)
            try:
                await tunnel.run(c.settings.websocket_max_seconds)
            finally:
                c.open_sockets.remove(ticket)
        finally:
            instance.leave()

    async def _connect(
        self, exchange: Exchange, operation: Operation, instance: Instance, protocols: list[str]
    ) -> aiohttp.ClientWebSocketResponse:
        c = self._c
        assert exchange.caller is not None
        headers = {
            "Authorization": c.internal_tokens.authorization(exchange.caller, operation.route.upstream),
            "X-Request-Id": exchange.request_id,
            "X-Client-Ip": exchange.address,
            "traceparent": traceparent(exchange.arrived.named.get(b"traceparent")),
        }
        query = f"?{exchange.query.decode()}" if exchange.query else ""
        try:
            return await c.session.ws_connect(
                instance.url + exchange.path.decode() + query,
                headers=headers,
                protocols=protocols,
                max_msg_size=c.settings.websocket_message_bytes * 4,
                heartbeat=30.0,
                timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
            )
        except aiohttp.WSServerHandshakeError as error:
            _log.warning("socket_refused_by_service", upstream=operation.route.upstream, status=error.status)
            problem = problems.FORBIDDEN if error.status in (401, 403) else problems.UPSTREAM_UNAVAILABLE
            raise Refused(problem, "The service did not take the connection.") from None
        except (aiohttp.ClientError, OSError, TimeoutError):
            instance.breaker.failed()
            raise c.upstreams.by_name[operation.route.upstream].unavailable() from None

    def _record(self, exchange: Exchange) -> None:
        operation = exchange.operation
        metrics = operation.metrics if operation is not None else self._c.metrics.of("(none)", "-")
        caller = exchange.caller
        self._c.access_log.add(
            request_id=exchange.request_id,
            user=caller.bucket if caller is not None and caller.kind != "anonymous" else "",
            method="WEBSOCKET",
            route=metrics.template,
            status=exchange.status,
            seconds=0.0,
            upstream_seconds=0.0,
        )
        metrics.record(exchange.status, 0.0, 0.0)  # a socket's lifetime says nothing about latency
