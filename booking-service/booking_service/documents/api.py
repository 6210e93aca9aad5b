"""Documents of a booking, for its owner only."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from sqlalchemy import RowMapping

from booking_service.documents.errors import DOCUMENT_PROBLEMS
from booking_service.documents.kinds import DocumentKind
from booking_service.documents.read_documents import DocumentReader, Download, Overview
from booking_service.documents.schemas import BeingMade, DocumentItem, PassKey, PassKeys
from rihla.auth import Person
from rihla.web import Page, ProblemTable, container, problem_responses

router = APIRouter(tags=["documents"])
_RETRY_AFTER = "1"
_problems = ProblemTable(DOCUMENT_PROBLEMS)


def reader(c: Annotated[Any, Depends(container)]) -> DocumentReader:
    """The deeds of this capability over the service's container."""
    return DocumentReader(c.db, c.documents, c.clock)


Reader = Annotated[DocumentReader, Depends(reader)]


def _file_responses(media_type: str, *codes: str) -> dict[int | str, dict[str, Any]]:
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    retry = {"Retry-After": {"description": "Seconds until it is worth asking again", "schema": {"type": "integer"}}}
    return {
        200: {"description": "The file", "content": content},
        202: {"description": "The document is being made", "model": BeingMade, "headers": retry},
        **problem_responses("unauthenticated", "document-not-found", *codes, table=_problems),
    }


_PDF = _file_responses("application/pdf", "no-document-yet")
_PASS_PDF = _file_responses("application/pdf", "not-checked-in")
_PASS_PNG = _file_responses("image/png", "not-checked-in")
_ANY = _file_responses("application/octet-stream")
_CALENDAR = _file_responses("text/calendar", "no-document-yet")
_LIST = problem_responses("unauthenticated", "document-not-found", table=_problems)


@router.get("/v1/bookings/{booking_id}/documents", responses=_LIST, summary="List the documents of a booking")
async def list_booking_documents(booking_id: UUID, who: Person, documents: Reader) -> Page[DocumentItem]:
    """Tickets (all together and, on several airlines, each alone), receipts, boarding passes and the calendar file."""
    overview = await documents.overview(booking_id, who)
    return Page[DocumentItem](items=[*_ready(overview), *_being_made(overview)], next_cursor=None)


@router.get(
    "/v1/bookings/{booking_id}/documents/{document_id}",
    responses=_ANY,
    response_class=Response,
    summary="Download one document",
)
async def download_booking_document(booking_id: UUID, document_id: UUID, who: Person, documents: Reader) -> Response:
    """One file of the documents list; older versions stay available under their id."""
    return _answer(await documents.by_id(booking_id, document_id, who))


@router.get(
    "/v1/bookings/{booking_id}/tickets.pdf", responses=_PDF, response_class=Response, summary="Download all tickets"
)
async def download_tickets(booking_id: UUID, who: Person, documents: Reader) -> Response:
    """The newest tickets of all passengers in one PDF."""
    return _answer(await documents.paper(booking_id, DocumentKind.TICKET, who))


@router.get(
    "/v1/bookings/{booking_id}/receipt.pdf", responses=_PDF, response_class=Response, summary="Download the receipt"
)
async def download_receipt(booking_id: UUID, who: Person, documents: Reader) -> Response:
    """What was paid, line by line."""
    return _answer(await documents.paper(booking_id, DocumentKind.RECEIPT, who))


@router.get(
    "/v1/bookings/{booking_id}/calendar.ics",
    responses=_CALENDAR,
    response_class=Response,
    summary="Download the flights as a calendar file",
)
async def download_calendar(booking_id: UUID, who: Person, documents: Reader) -> Response:
    """iCalendar (RFC 5545) with one event for each flight."""
    return _answer(await documents.calendar(booking_id, who))


@router.get(
    "/v1/bookings/{booking_id}/boarding-passes/{passenger_id}/{flight_id}.pdf",
    responses=_PASS_PDF,
    response_class=Response,
    summary="Download a boarding pass as PDF",
)
async def download_boarding_pass_pdf(
    booking_id: UUID, passenger_id: UUID, flight_id: UUID, who: Person, documents: Reader
) -> Response:
    """With an Aztec and a PDF417 symbol after IATA Resolution 792. 409 before check-in."""
    return _answer(await documents.boarding_pass(booking_id, passenger_id, flight_id, who, png=False))


@router.get(
    "/v1/bookings/{booking_id}/boarding-passes/{passenger_id}/{flight_id}.png",
    responses=_PASS_PNG,
    response_class=Response,
    summary="Download a boarding pass as an image",
)
async def download_boarding_pass_png(
    booking_id: UUID, passenger_id: UUID, flight_id: UUID, who: Person, documents: Reader
) -> Response:
    """The same pass as a picture for a telephone. 409 before check-in."""
    return _answer(await documents.boarding_pass(booking_id, passenger_id, flight_id, who, png=True))


@router.get("/v1/boarding-pass-keys", summary="Keys that verify boarding passes offline")
async def list_boarding_pass_keys(c: Annotated[Any, Depends(container)]) -> PassKeys:
    """Ed25519 keys. The security data of a pass are the key's `kid` (8 characters) and the base64url signature over all
    text before the `^`."""
    return PassKeys(keys=[PassKey.model_validate(key) for key in c.documents.signer.public_keys()])


def _answer(found: Download | None) -> Response:
    if found is None:
        body = BeingMade().model_dump_json()
        return Response(body, 202, {"Retry-After": _RETRY_AFTER, "Cache-Control": "no-store"}, "application/json")
    headers = {
        "Content-Disposition": f'attachment; filename="{found.name}"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    if found.sha256:
        headers["ETag"] = f'"{found.sha256}"'
    return Response(found.data, 200, headers, found.media_type)


def _ready(overview: Overview) -> list[DocumentItem]:
    base = f"/v1/bookings/{overview.booking.id}"
    items = [_item(row, f"{base}/documents/{row['id']}") for row in overview.ready]
    if overview.booking.confirmed_at is not None:
        items.append(
            DocumentItem(
                id=None,
                kind="calendar",
                status="ready",
                name=f"{overview.booking.reference}.ics",
                media_type="text/calendar",
                url=f"{base}/calendar.ics",
            )
        )
    return items


def _item(row: RowMapping, url: str) -> DocumentItem:
    return DocumentItem(
        id=row["id"],
        kind=row["kind"],
        status="ready",
        name=row["name"],
        media_type=row["media_type"],
        size=row["size"],
        sha256=row["sha256"],
        version=row["version"],
        passenger_id=row["passenger_id"],
        flight_id=row["flight_id"],
        made_at=row["made_at"],
        url=url,
    )


def _being_made(overview: Overview) -> list[DocumentItem]:
    return [
        DocumentItem(id=None, kind=kind.value, status="being_made", name="", media_type="application/pdf", url=None)
        for kind in overview.being_made
    ]
