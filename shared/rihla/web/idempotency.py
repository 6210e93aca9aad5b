"""The `Idempotency-Key` header as a dependency, and the answers that are saved under it."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import Header, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from rihla.auth.dependencies import CurrentPrincipal
from rihla.db import Database
from rihla.db.idempotency import Began, Replay, begin_key, finish_key
from rihla.kernel import DomainError
from rihla.web.problems import MEDIA_TYPE, IdempotencyKeyRequired, ProblemTable, domain_problem

__all__ = ["Began", "IdempotentRequest", "Replay", "idempotent_request", "replay_response"]

_SAVED_REFUSALS = frozenset({409, 410})
_NO_KEY = ""
DEFAULT_LEASE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """One request under its key. Without a key (where it is optional) nothing is stored and every request is new."""

    scope: str
    key: str
    fingerprint: bytes
    request_id: str

    async def begin(
        self, session: AsyncSession, *, resource_id: UUID, now: datetime, lease: timedelta = DEFAULT_LEASE
    ) -> Began | Replay:
        """Take the key in the deed's first transaction; see `rihla.db.idempotency.begin_key`."""
        if self.key == _NO_KEY:
            return Began(resource_id, resumed=False)
        return await begin_key(
            session,
            scope=self.scope,
            key=self.key,
            fingerprint=self.fingerprint,
            resource_id=resource_id,
            now=now,
            lease=lease,
        )

    async def finish(self, session: AsyncSession, *, status: int, body: bytes) -> None:
        """Store the answer in the deed's last transaction."""
        if self.key != _NO_KEY:
            await finish_key(session, scope=self.scope, key=self.key, status=status, body=body)

    async def finish_with_error(self, db: Database, error: DomainError, problems: ProblemTable) -> None:
        """Save a domain refusal as the answer, in a transaction of its own; see `saved_refusal`."""
        saved = self.saved_refusal(error, problems)
        if saved is not None:
            status, body = saved
            async with db.transaction() as session:
                await finish_key(
                    session, scope=self.scope, key=self.key, status=status, body=body, media_type=MEDIA_TYPE
                )

    def saved_refusal(self, error: DomainError, problems: ProblemTable) -> tuple[int, bytes] | None:
        """What a repeat will hear of a refusal (409, 410); None for validation failures and outages, not frozen."""
        spec = problems.spec(error)
        if self.key == _NO_KEY or spec is None or spec.status not in _SAVED_REFUSALS:
            return None
        _, body = domain_problem(error, problems, self.request_id)
        return spec.status, body


def idempotent_request(*, required: bool = True, without: frozenset[str] = frozenset()) -> Callable[..., Any]:
    """A dependency that reads the key and takes the payload's fingerprint: a keyed HMAC, without the fields named.

    Raises IdempotencyKeyRequired (400) when the key is missing and `required`.
    """

    async def read(
        request: Request,
        principal: CurrentPrincipal,
        idempotency_key: Annotated[
            str | None,
            Header(
                min_length=1,
                max_length=255,
                description="Your own id for this request; repeating it gives the saved answer",
                examples=["5f0c9a5e-order-1"],
            ),
        ] = None,
    ) -> IdempotentRequest:
        if idempotency_key is None and required:
            raise IdempotencyKeyRequired("Send an Idempotency-Key header (1-255 characters) of your own choice.")
        secret = request.app.state.settings.idempotency_secret.get_secret_value().encode()
        payload = request.url.path.encode() + b"\n" + _canonical(await request.body(), without)
        caller = str(principal.subject or principal.issuer) + (":test" if principal.test_mode else "")
        route = getattr(request.scope.get("route"), "path", request.url.path)
        return IdempotentRequest(
            scope=f"{caller} {request.method} {route}",
            key=idempotency_key or _NO_KEY,
            fingerprint=hmac.digest(secret, payload, hashlib.sha256),
            request_id=str(request.state.request_id),
        )

    return read


def _canonical(body: bytes, without: frozenset[str]) -> bytes:
    if not body:
        return b""
    try:
        value = msgspec.json.decode(body)
        return msgspec.json.encode(_pruned(value, without) if without else value, order="sorted")
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return body


def _pruned(value: Any, without: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {key: _pruned(item, without) for key, item in value.items() if key not in without}
    if isinstance(value, list):
        return [_pruned(item, without) for item in value]
    return value


def replay_response(replay: Replay) -> Response:
    """The saved answer, marked as a repeat."""
    return Response(replay.body, replay.status, {"Idempotency-Replayed": "true"}, replay.media_type)
