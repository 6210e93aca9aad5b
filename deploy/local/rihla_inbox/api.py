"""`GET /messages` for tools and tests, attachments, and health."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from pydantic import BaseModel

from rihla_inbox.store import Delivery, Store

router = APIRouter()


class AttachmentItem(BaseModel):
    """Where to get an attached file."""

    name: str
    type: str
    url: str


class MessageItem(BaseModel):
    """One mail as one recipient got it."""

    to: str
    subject: str
    text: str
    html: str
    attachments: list[AttachmentItem]
    received_at: str


class Messages(BaseModel):
    """Newest first."""

    items: list[MessageItem]


def store_of(request: Request) -> Store:
    """The store opened by the lifespan."""
    store: Store = request.app.state.store
    return store


StoreDependency = Annotated[Store, Depends(store_of)]


@router.get("/messages")
def list_messages(
    request: Request, store: StoreDependency, to: str | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> Messages:
    """The newest mails, of one address when `to` is given."""
    base = str(request.base_url).rstrip("/")
    return Messages(items=[_item(one, base) for one in store.messages(address(to), limit)])


@router.get("/attachments/{mail_id}/{position}")
def download(store: StoreDependency, mail_id: int, position: int) -> Response:
    """The file itself, always as a download: nothing a mail brings is ever opened as a page of ours."""
    found = store.attachment(mail_id, position)
    if found is None:
        raise HTTPException(404)
    row, data = found
    return Response(
        data,
        media_type=row.type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(row.name, safe='')}",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
        },
    )


@router.get("/health/live")
def live() -> dict[str, str]:
    """The process runs."""
    return {"status": "ok"}


@router.get("/health/ready")
def ready(store: StoreDependency) -> dict[str, object]:
    """The store can be read; mail is being received for as long as the application is up."""
    store.messages(None, 1)
    return {"status": "ok", "checks": {"store": "ok"}}


def address(to: str | None) -> str | None:
    """An address from a query string, in which an unescaped `+` of a phone number has become a space."""
    if not to:
        return None
    return f"+{to[1:]}" if to.startswith(" ") else to.replace(" ", "+")


def _item(delivery: Delivery, base: str) -> MessageItem:
    return MessageItem(
        to=delivery.to,
        subject=delivery.subject,
        text=delivery.text,
        html=delivery.html,
        attachments=[
            AttachmentItem(name=one.name, type=one.type, url=f"{base}/attachments/{delivery.mail_id}/{one.position}")
            for one in delivery.attachments
        ],
        received_at=delivery.received_at,
    )
