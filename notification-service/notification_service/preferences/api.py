"""The preference centre, and the way out of a category by one click in a mail."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse

from notification_service.delivering.unsubscribe import read_token
from notification_service.preferences.rules import Category, Channel, Preferences
from notification_service.preferences.schemas import PreferencesChange, PreferencesShown
from notification_service.preferences.store import load_preferences, save_preferences
from notification_service.problems import problems
from notification_service.reading.errors import UnsubscribeLinkInvalid
from rihla.auth import Person
from rihla.web import container, problem_responses

router = APIRouter(prefix="/v1/notifications", tags=["notifications"])
C = Annotated[Any, Depends(container)]
Token = Annotated[str, Query(max_length=200, description="The token of the link in the mail")]
_LINK = problem_responses("unsubscribe-link-invalid", table=problems)


@router.get(
    "/preferences", responses=problem_responses("unauthenticated", table=problems), summary="Read your preferences"
)
async def get_notification_preferences(c: C, who: Person) -> PreferencesShown:
    """Which channels each category takes, defaults filled in, and your quiet hours."""
    async with c.db.transaction() as session:
        return PreferencesShown.of(await load_preferences(session, who.user_id))


@router.patch(
    "/preferences",
    responses=problem_responses("unauthenticated", "validation-failed", table=problems),
    summary="Change your preferences",
)
async def change_notification_preferences(change: PreferencesChange, c: C, who: Person) -> PreferencesShown:
    """Only what you send changes."""
    async with c.db.transaction() as session:
        wishes = change.applied_to(await load_preferences(session, who.user_id))
        await save_preferences(session, who.user_id, wishes, c.clock.now())
    return PreferencesShown.of(wishes)


@router.get("/unsubscribe", responses=_LINK, response_class=HTMLResponse, summary="Ask whether to unsubscribe")
async def show_unsubscribe_page(token: Token, c: C) -> HTMLResponse:
    """A page with one button: mail scanners follow links, so that following this one changes nothing."""
    _, category = _read(token, c)
    return HTMLResponse(
        '<!doctype html><meta charset="utf-8"><title>Rihla</title>'
        f'<form method="post"><p>Stop mail about: {category.value}</p><button>Unsubscribe</button></form>'
    )


@router.post(
    "/unsubscribe", responses=_LINK, status_code=204, response_class=HTMLResponse, summary="Unsubscribe by one click"
)
async def unsubscribe_from_mail(token: Token, c: C) -> None:
    """RFC 8058 one-click: switches the mail of one category off, without signing in."""
    user_id, category = _read(token, c)
    async with c.db.transaction() as session:
        wishes = await load_preferences(session, user_id)
        kept = tuple(one for one in wishes.channels_for(category) if one is not Channel.EMAIL)
        changed = Preferences(
            {**wishes.channels, category: kept}, wishes.quiet_from, wishes.quiet_to, wishes.time_zone, wishes.locale
        )
        await save_preferences(session, user_id, changed, c.clock.now())


def _read(token: str, c: Any) -> tuple[Any, Category]:
    found = read_token(token, c.settings.unsubscribe_secret.get_secret_value().encode())
    if found is None:
        raise UnsubscribeLinkInvalid("This link was not made by us or was cut; change your preferences in the app.")
    return found
