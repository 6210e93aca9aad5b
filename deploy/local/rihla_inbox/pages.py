"""The pages a person reads. A mail's HTML is shown in a sandboxed frame that may run nothing and fetch nothing."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FunctionLoader, StrictUndefined

from rihla_inbox.api import StoreDependency, address
from rihla_inbox.store import Delivery

router = APIRouter(include_in_schema=False)

PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'; base-uri 'none'"
MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:"
PER_PAGE = 100


@router.get("/")
def index(store: StoreDependency, to: str | None = None, before: int | None = None) -> HTMLResponse:
    """The list, newest first."""
    deliveries = store.messages(address(to), PER_PAGE, before)
    older = deliveries[-1].mail_id if len(deliveries) == PER_PAGE else None
    return _page("index.html", deliveries=deliveries, to=address(to) or "", older=older)


@router.get("/mail/{mail_id}")
def mail(store: StoreDependency, mail_id: int) -> HTMLResponse:
    """One mail: HTML, text and attachments."""
    return _page("mail.html", mail=_found(store.mail(mail_id)))


@router.get("/mail/{mail_id}/html")
def html(store: StoreDependency, mail_id: int) -> HTMLResponse:
    """The mail's own HTML, for the frame. `cid:` links lead to the inline files."""
    delivery = _found(store.mail(mail_id))
    places = {one.content_id: one.position for one in delivery.attachments if one.content_id}

    def place(match: re.Match[str]) -> str:
        position = places.get(match.group(1))
        return match.group(0) if position is None else f"/attachments/{mail_id}/{position}"

    body = re.sub(r"cid:([^\"'\s>)]+)", place, delivery.html)
    return _answer(body, MAIL_POLICY)


def _found(delivery: Delivery | None) -> Delivery:
    if delivery is None:
        raise HTTPException(404, "no such mail; the oldest ones are let go")
    return delivery


def _page(template: str, **values: Any) -> HTMLResponse:
    return _answer(_templates().get_template(template).render(**values), PAGE_POLICY)


def _answer(body: str, policy: str) -> HTMLResponse:
    return HTMLResponse(
        body,
        headers={
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        },
    )


@cache
def _templates() -> Environment:
    folder = files("rihla_inbox") / "templates"
    loader = FunctionLoader(lambda name: (folder / name).read_text())
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
