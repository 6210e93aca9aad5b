"""Who works at the desk."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from chat_service.desk.schemas import LANGUAGE_TAG, Colleague, ColleagueChange
from chat_service.desk.store import list_colleagues, note_colleague
from chat_service.problems import problems
from rihla.auth import Principal, require_roles
from rihla.web import Page, ValidationFailed, container, problem_responses

router = APIRouter(prefix="/v1/admin/support/colleagues", tags=["support"])
C = Annotated[Any, Depends(container)]
Staff = Annotated[Principal, Depends(require_roles("support", "admin"))]
_STAFF = ("unauthenticated", "forbidden", "validation-failed")


@router.get("", responses=problem_responses(*_STAFF, table=problems), summary="List the desk")
async def list_desk(c: C, _: Staff) -> Page[Colleague]:
    """Everybody who has worked there, the latest first, at most 200."""
    async with c.db.transaction() as session:
        rows = await list_colleagues(session)
    return Page[Colleague](items=[Colleague.model_validate(dict(row)) for row in rows])


@router.patch("/me", responses=problem_responses(*_STAFF, table=problems), summary="Your languages and availability")
async def change_my_desk(body: ColleagueChange, c: C, who: Staff) -> Colleague:
    """Cases in these languages are given to you while you are available and online."""
    bad = [language for language in body.languages or () if not re.fullmatch(LANGUAGE_TAG, language)]
    if bad:
        raise ValidationFailed({"pointer": "#/languages", "code": "language", "message": "two or three small letters"})
    async with c.db.transaction() as session:
        row = await note_colleague(
            session, who.user_id, c.clock.now(), languages=body.languages, available=body.available
        )
    return Colleague.model_validate(dict(row))
