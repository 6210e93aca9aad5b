"""Canned replies, for the desk."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from chat_service.canned import store
from chat_service.canned.errors import CannedReplyNotFound
from chat_service.canned.schemas import CannedReply, CannedReplyText
from chat_service.problems import problems
from rihla.auth import Principal, require_roles
from rihla.web import Page, container, problem_responses

router = APIRouter(prefix="/v1/admin/support/canned-replies", tags=["support"])
C = Annotated[Any, Depends(container)]
Staff = Annotated[Principal, Depends(require_roles("support", "admin"))]
Language = Annotated[str, Path(pattern=r"^[a-z]{2,3}$")]
Shortcut = Annotated[str, Path(max_length=40, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
_STAFF = ("unauthenticated", "forbidden", "validation-failed")


@router.get("", responses=problem_responses(*_STAFF, table=problems), summary="List canned replies")
async def list_canned_replies(
    c: C, _: Staff, language: Annotated[str | None, Query(pattern=r"^[a-z]{2,3}$")] = None
) -> Page[CannedReply]:
    """By language and shortcut."""
    async with c.db.transaction() as session:
        rows = await store.list_replies(session, language)
    return Page[CannedReply](items=[CannedReply.model_validate(dict(row)) for row in rows])


@router.put(
    "/{language}/{shortcut}", responses=problem_responses(*_STAFF, table=problems), summary="Write a canned reply"
)
async def put_canned_reply(
    language: Language, shortcut: Shortcut, body: CannedReplyText, c: C, who: Staff
) -> CannedReply:
    """Writing it again replaces the words."""
    async with c.db.transaction() as session:
        row = await store.put_reply(session, language, shortcut, body.text, by_id=who.user_id, now=c.clock.now())
    return CannedReply.model_validate(dict(row))


@router.delete(
    "/{language}/{shortcut}",
    status_code=204,
    responses=problem_responses(*_STAFF, "canned-reply-not-found", table=problems),
    summary="Remove a canned reply",
)
async def remove_canned_reply(language: Language, shortcut: Shortcut, c: C, _: Staff) -> None:
    """In one language."""
    async with c.db.transaction() as session:
        if not await store.remove_reply(session, language, shortcut):
            raise CannedReplyNotFound("There is no such reply.")
