"""Binding an attachment to the message or ticket it is posted with: its owner's, checked, of the right kind, once."""

from uuid import UUID

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession

from chat_service.attachments import store
from chat_service.attachments.errors import AttachmentNotUsable


async def use_attachment(
    session: AsyncSession, attachment_id: UUID, owner_id: UUID, kind: str | None, audience_id: UUID | None
) -> None:
    """Part of the transaction that posts. `kind` None takes any. Raises AttachmentNotUsable."""
    found = await store.load_attachment(session, attachment_id, lock=True)
    usable = (
        found is not None
        and found["owner_id"] == owner_id
        and found["state"] == "ready"
        and found["used_at"] is None
        and kind in (None, found["kind"])
    )
    if not usable:
        raise AttachmentNotUsable("Post an attachment of your own that was uploaded, completed and not posted before.")
    await store.change_attachment(session, attachment_id, used_at=func.now(), audience_id=audience_id)
