"""Deliveries and templates, for support and administrators."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse

from notification_service.delivering import store
from notification_service.delivering.errors import DeliveryNotFound
from notification_service.delivering.resend import resend_delivery
from notification_service.delivering.samples import SAMPLE_FACTS
from notification_service.delivering.schemas import DeliveryItem, State, TemplateItem
from notification_service.problems import problems
from notification_service.reading.api import id_of_cursor
from notification_service.reading.errors import UnknownTemplate
from notification_service.wording.kinds import KINDS, LANGUAGES
from notification_service.wording.render import render
from rihla.auth import require_roles
from rihla.web import Page, PageParams, container, encode_cursor, problem_responses

router = APIRouter(
    prefix="/v1/admin", tags=["administration"], dependencies=[Depends(require_roles("admin", "support"))]
)
C = Annotated[Any, Depends(container)]
_STAFF = ("unauthenticated", "forbidden", "validation-failed")


@router.get(
    "/deliveries",
    responses=problem_responses(*_STAFF, "invalid-cursor", table=problems),
    summary="List deliveries, dead letters among them",
)
async def list_deliveries(
    c: C,
    page: PageParams,
    state: Annotated[State | None, Query(description="`dead` lists the dead letters")] = None,
    channel: Annotated[Literal["email", "sms", "push"] | None, Query()] = None,
    booking_id: Annotated[UUID | None, Query()] = None,
    user_id: Annotated[UUID | None, Query()] = None,
) -> Page[DeliveryItem]:
    """Newest first."""
    async with c.db.transaction() as session:
        rows = await store.list_deliveries(
            session,
            state=state,
            channel=channel,
            booking_id=booking_id,
            user_id=user_id,
            before=id_of_cursor(page.cursor),
            limit=page.limit + 1,
        )
    shown = rows[: page.limit]
    following = encode_cursor({"id": str(shown[-1]["id"])}) if len(rows) > page.limit else None
    return Page[DeliveryItem](items=[DeliveryItem.of(dict(row)) for row in shown], next_cursor=following)


@router.get(
    "/deliveries/{delivery_id}",
    responses=problem_responses(*_STAFF, "delivery-not-found", table=problems),
    summary="Read a delivery",
)
async def get_delivery(delivery_id: UUID, c: C) -> DeliveryItem:
    """State, attempts, the provider's id and the last error."""
    async with c.db.transaction() as session:
        row = await store.find_delivery(session, delivery_id)
    if row is None:
        raise DeliveryNotFound("There is no such delivery.")
    return DeliveryItem.of(dict(row))


@router.post(
    "/deliveries/{delivery_id}/resend",
    status_code=202,
    responses=problem_responses(*_STAFF, "delivery-not-found", "delivery-busy", table=problems),
    summary="Send a delivery again",
)
async def resend(delivery_id: UUID, c: C) -> DeliveryItem:
    """For dead letters, and for what was sent and got lost. It leaves under a new Message-ID."""
    row = await resend_delivery(c.db, delivery_id, domain=c.mail_domain, now=c.clock.now())
    return DeliveryItem.of(dict(row))


@router.get("/templates", responses=problem_responses(*_STAFF, table=problems), summary="List the kinds of notice")
async def list_templates() -> Page[TemplateItem]:
    """Every kind, its category and languages."""
    items = [
        TemplateItem(kind=name, category=kind.category, urgent=kind.urgent, languages=list(LANGUAGES))
        for name, kind in KINDS.items()
    ]
    return Page[TemplateItem](items=items)


@router.get(
    "/templates/{kind}/preview",
    response_class=HTMLResponse,
    responses=problem_responses(*_STAFF, "template-not-found", table=problems),
    summary="See a mail with made-up facts",
)
async def preview_template(
    kind: str, locale: Annotated[str, Query(max_length=35, examples=["bn"])] = "en"
) -> HTMLResponse:
    """The HTML a traveller would get in this language."""
    if kind not in KINDS:
        raise UnknownTemplate("The templates list names the kinds there are.")
    words = render(
        kind, SAMPLE_FACTS, locale, link="https://rihla.example/v1/bookings", attached=["K7QX2M-tickets.pdf"]
    )
    return HTMLResponse(words.html)
