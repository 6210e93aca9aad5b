"""Asking the assistant."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header

from chat_service.assistant.schemas import ActionDone, AssistantAnswer, Question
from chat_service.problems import problems
from rihla.auth import Person
from rihla.web import container, problem_responses

router = APIRouter(prefix="/v1/chat/assistant", tags=["chat"])
C = Annotated[Any, Depends(container)]


@router.post(
    "/questions",
    responses=problem_responses("unauthenticated", "account-suspended", "validation-failed", table=problems),
    summary="Ask the assistant",
)
async def ask_assistant(
    body: Question,
    c: C,
    who: Person,
    x_internal_booking_authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> AssistantAnswer:
    """From the FAQ and your own bookings, with sources. Asking changes nothing; buttons wait for your yes."""
    answer = await c.assistant.ask(who.user_id, body.text, body.language, x_internal_booking_authorization)
    return AssistantAnswer.of(answer)


@router.post(
    "/actions/{action_id}/confirm",
    responses=problem_responses(
        "unauthenticated",
        "account-suspended",
        "action-not-found",
        "action-expired",
        "validation-failed",
        table=problems,
    ),
    summary="Confirm a button",
)
async def confirm_assistant_action(action_id: UUID, c: C, who: Person) -> ActionDone:
    """Done once; confirming again gives the same result."""
    done = await c.assistant.confirm(who.user_id, action_id)
    if done.posted is not None:
        await c.room.posted(done.posted)
    return ActionDone(kind=done.kind, **done.result)
