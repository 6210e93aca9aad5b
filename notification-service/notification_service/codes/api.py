"""One-time codes, for auth-service only."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from notification_service.codes.schemas import CodeAccepted, CodeRequest
from notification_service.problems import problems
from rihla.auth import require_service
from rihla.web import container, problem_responses

router = APIRouter(prefix="/internal/v1", tags=["internal"])


@router.post(
    "/codes",
    status_code=202,
    dependencies=[Depends(require_service("auth"))],
    responses=problem_responses(
        "unauthenticated", "forbidden", "validation-failed", "address-refused", "message-not-accepted", table=problems
    ),
    summary="Send a one-time code at once",
)
async def send_code(request: CodeRequest, c: Annotated[Any, Depends(container)]) -> CodeAccepted:
    """202 once the mail server or SMS provider has accepted the message; the same `request_id` is sent once."""
    accepted_at = await c.code_mailer.send(request)
    return CodeAccepted(request_id=request.request_id, accepted_at=accepted_at)
