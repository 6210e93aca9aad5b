"""Uploading and loading attachments."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from chat_service.attachments import store
from chat_service.attachments.addresses import FILES_PATH, LocalAddresses
from chat_service.attachments.errors import AddressInvalid, AttachmentNotFound, AttachmentRefused
from chat_service.attachments.rules import Announcement, storage_key
from chat_service.attachments.schemas import Attachment, NewAttachment, SignedAddress
from chat_service.conversations.access import is_staff
from chat_service.problems import problems
from rihla.auth import Person, Principal
from rihla.storage import ObjectMissing
from rihla.web import container, problem_responses

router = APIRouter(prefix="/v1/chat/attachments", tags=["chat"])
files_router = APIRouter(prefix=FILES_PATH, tags=["chat"])
C = Annotated[Any, Depends(container)]
# The gateway's path table knows parameters of one segment; a key has three (`storage_key`).
_FILE = "/{part}/{shard}/{name}"
_HARMLESS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}


@router.post(
    "",
    status_code=201,
    responses=problem_responses("unauthenticated", "attachment-refused", "validation-failed", table=problems),
    summary="Begin an upload",
)
async def begin_attachment(body: NewAttachment, c: C, who: Person) -> Attachment:
    """Gives an address to which exactly this many bytes of this type can be sent."""
    announced = Announcement(body.kind, body.media_type, body.size_bytes)
    row, address = await c.uploads.begin(who.user_id, announced, body.file_name, body.duration_seconds)
    return Attachment.model_validate({**row, "upload": SignedAddress.of(address)})


@router.post(
    "/{attachment_id}/complete",
    responses=problem_responses(
        "unauthenticated", "attachment-not-found", "attachment-not-uploaded", "attachment-refused", table=problems
    ),
    summary="Have an upload checked",
)
async def complete_attachment(attachment_id: UUID, c: C, who: Person) -> Attachment:
    """The content decides: a script that calls itself a picture is refused and deleted."""
    row = await c.uploads.complete(who.user_id, attachment_id)
    return _shown(c, row)


@router.get(
    "/{attachment_id}",
    responses=problem_responses("unauthenticated", "attachment-not-found", table=problems),
    summary="Addresses to load an attachment from",
)
async def read_attachment(attachment_id: UUID, c: C, who: Person) -> Attachment:
    """For its owner, the traveller in whose conversation it was posted, and the desk."""
    async with c.db.transaction() as session:
        row = await store.load_attachment(session, attachment_id)
    if row is None or row["state"] == "erased" or not _may_see(row, who):
        raise AttachmentNotFound("There is no such attachment among yours.")
    return _shown(c, row)


@files_router.put(
    _FILE,
    status_code=204,
    responses=problem_responses("address-invalid", "attachment-refused", "validation-failed", table=problems),
    summary="Send a file to a signed address (local storage)",
)
async def put_file(
    part: str,
    shard: str,
    name: str,
    request: Request,
    c: C,
    type: Annotated[str, Query(max_length=60)],
    size: Annotated[int, Query(ge=1)],
    until: int,
    signature: Annotated[str, Query(max_length=64)],
) -> Response:
    """Used where files lie in a folder; with an S3-compatible store clients send to the store itself."""
    key = f"{part}/{shard}/{name}"
    _local(c).check("PUT", key, type, size, until, signature)
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > size:
            raise AttachmentRefused("More bytes came than were announced.")
    if len(data) != size:
        raise AttachmentRefused("Fewer bytes came than were announced.")
    await c.storage.put(key, bytes(data), media_type=type)
    return Response(status_code=204)


@files_router.get(
    _FILE,
    responses=problem_responses("address-invalid", "attachment-not-found", "validation-failed", table=problems),
    response_class=Response,
    summary="Load a file from a signed address (local storage)",
)
async def get_file(
    part: str,
    shard: str,
    name: str,
    c: C,
    type: Annotated[str, Query(max_length=60)],
    size: Annotated[int, Query(ge=0)],
    until: int,
    signature: Annotated[str, Query(max_length=64)],
) -> Response:
    """The checked bytes, as the checked type and nothing else."""
    key = f"{part}/{shard}/{name}"
    _local(c).check("GET", key, type, size, until, signature)
    try:
        data = await c.storage.get(key)
    except ObjectMissing as error:
        raise AttachmentNotFound("This attachment is gone.") from error
    return Response(data, media_type=type, headers={**_HARMLESS, "Cache-Control": "private, max-age=300"})


def _local(c: Any) -> LocalAddresses:
    if not isinstance(c.addresses, LocalAddresses):
        raise AddressInvalid("Files are kept elsewhere; use the address you were given.")
    return c.addresses


def _may_see(row: Any, who: Principal) -> bool:
    return who.user_id in (row["owner_id"], row["audience_id"]) or is_staff(who)


def _shown(c: Any, row: Any) -> Attachment:
    shown = dict(row)
    if row["state"] == "ready":
        key = str(row["id"])
        shown["download"] = SignedAddress.of(c.addresses.download(storage_key(key, "file"), row["media_type"]))
        if row["has_thumbnail"]:
            address = c.addresses.download(storage_key(key, "thumbnail"), "image/webp")
            shown["thumbnail"] = SignedAddress.of(address)
    return Attachment.model_validate(shown)
