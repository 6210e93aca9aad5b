"""What becomes of many holds that came in one request, each by itself.

A request costs both sides more than its hold (ADR 0003), and holds that come together are written together anyway. An
entry whose answer is neither a hold nor a refusal, or that cannot be read, is answered with null: its caller sends it
alone and hears from the hold's own route what is wrong.
"""

import asyncio
from collections.abc import Awaitable, Iterable
from uuid import UUID

from fastapi.responses import Response

from flight_service.problems import problems
from rihla.kernel import DomainError
from rihla.telemetry import get_logger
from rihla.web.problems import domain_problem

log = get_logger("inventory")

_UNANSWERED = b"null"


async def outcomes(deeds: Iterable[tuple[UUID, Awaitable[tuple[int, bytes]]]], request_id: str) -> Response:
    """`schemas.HoldOutcomes` in the order given. A deed answers with status and hold, and raises what it refuses."""
    told = await asyncio.gather(*(_outcome(hold_id, deed, request_id) for hold_id, deed in deeds))
    return Response(b'{"outcomes":[' + b",".join(told) + b"]}", media_type="application/json")


async def _outcome(hold_id: UUID, deed: Awaitable[tuple[int, bytes]], request_id: str) -> bytes:
    try:
        status, hold = await deed
    except DomainError as refusal:
        return _refused(refusal, request_id)
    except Exception as error:
        log.warning("left_to_its_own_route", hold_id=str(hold_id), error=type(error).__name__)
        return _UNANSWERED
    return b'{"status":%d,"hold":%b}' % (status, hold)


def _refused(refusal: DomainError, request_id: str) -> bytes:
    if problems.spec(refusal) is None:
        return _UNANSWERED
    spec, problem = domain_problem(refusal, problems, request_id)
    return b'{"status":%d,"problem":%b}' % (spec.status, problem)
