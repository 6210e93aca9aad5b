"""An upload: announced, sent straight to the store, then judged by its content.

The bytes arrive under `incoming/`. What passed is written under `file/`, where no signed address for uploading leads:
whoever sends something else to the old address afterwards changes nothing that anybody sees.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import RowMapping

from chat_service.attachments import store
from chat_service.attachments.addresses import Address, Addresses
from chat_service.attachments.errors import AttachmentNotFound, AttachmentNotUploaded, AttachmentRefused
from chat_service.attachments.pictures import Picture, PictureBroken, examine
from chat_service.attachments.rules import (
    Announcement,
    Kind,
    flaw_of_announcement,
    flaw_of_content,
    storage_key,
)
from rihla.db import Database
from rihla.kernel import Clock, new_id
from rihla.storage import ObjectMissing, ObjectStore


@dataclass(frozen=True, slots=True)
class Uploads:
    """The deeds of attachments."""

    db: Database
    storage: ObjectStore
    addresses: Addresses
    clock: Clock
    kept_unused: timedelta

    async def begin(
        self, owner_id: UUID, announced: Announcement, file_name: str | None = None, duration: float | None = None
    ) -> tuple[RowMapping, Address]:
        """Note what will come and say where to send it. Raises AttachmentRefused."""
        flaw = flaw_of_announcement(announced)
        if flaw is not None:
            raise AttachmentRefused(flaw)
        attachment_id = new_id()
        async with self.db.transaction() as session:
            row = await store.add_attachment(
                session, attachment_id, owner_id, announced, file_name, duration, self.clock.now()
            )
        key = storage_key(str(attachment_id), "incoming")
        return row, self.addresses.upload(key, announced.media_type, announced.size_bytes)

    async def complete(self, owner_id: UUID, attachment_id: UUID) -> RowMapping:
        """Judge what arrived; repeating it gives the same answer.

        Raises AttachmentNotFound, AttachmentNotUploaded (nothing arrived yet) and AttachmentRefused.
        """
        row = await self._own(owner_id, attachment_id)
        if row["state"] == "ready":
            return row
        announced = Announcement(Kind(row["kind"]), row["media_type"], row["size_bytes"])
        incoming = storage_key(str(attachment_id), "incoming")
        try:
            data = await self.storage.get(incoming)
        except ObjectMissing as error:
            if row["state"] == "refused":
                raise AttachmentRefused("This upload was refused; begin a new one.") from error
            raise AttachmentNotUploaded("Send the file to the upload address first.") from error
        try:
            picture = await self._judge(announced, data)
        except AttachmentRefused:
            await self._settle(attachment_id, state="refused")
            await self.storage.delete(incoming)
            raise
        return await self._keep(attachment_id, announced, data, picture)

    async def erase(self) -> int:
        """Delete what nobody posted in time or must be forgotten; how many. A crash in between deletes again."""
        now = self.clock.now()
        async with self.db.transaction() as session:
            gone = await store.to_be_erased(session, now - self.kept_unused, now)
        for attachment_id in gone:
            for part in ("incoming", "file", "thumbnail"):
                await self.storage.delete(storage_key(str(attachment_id), part))
            await self._settle(attachment_id, state="erased", file_name=None)
        return len(gone)

    async def _own(self, owner_id: UUID, attachment_id: UUID) -> RowMapping:
        async with self.db.transaction() as session:
            row = await store.load_attachment(session, attachment_id)
        if row is None or row["owner_id"] != owner_id or row["state"] == "erased":
            raise AttachmentNotFound("There is no such attachment among yours.")
        return row

    async def _judge(self, announced: Announcement, data: bytes) -> Picture | None:
        flaw = flaw_of_content(announced, data)
        if flaw is not None:
            raise AttachmentRefused(flaw)
        if not announced.media_type.startswith("image/"):
            return None
        try:
            return await asyncio.to_thread(examine, data)
        except PictureBroken as error:
            raise AttachmentRefused("The picture cannot be read or is too large.") from error

    async def _keep(
        self, attachment_id: UUID, announced: Announcement, data: bytes, picture: Picture | None
    ) -> RowMapping:
        await self.storage.put(storage_key(str(attachment_id), "file"), data, media_type=announced.media_type)
        facts: dict[str, object] = {}
        if picture is not None:
            key = storage_key(str(attachment_id), "thumbnail")
            await self.storage.put(key, picture.thumbnail, media_type="image/webp")
            facts = {"width": picture.width, "height": picture.height, "has_thumbnail": True}
        row = await self._settle(attachment_id, state="ready", **facts)
        await self.storage.delete(storage_key(str(attachment_id), "incoming"))
        return row

    async def _settle(self, attachment_id: UUID, **values: object) -> RowMapping:
        async with self.db.transaction() as session:
            return await store.change_attachment(session, attachment_id, **values)
