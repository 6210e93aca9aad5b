"""From a due delivery to the message that leaves: words, links, attachments."""

import io
from dataclasses import dataclass
from functools import lru_cache

import zxingcpp
from PIL import Image

from notification_service.channels.outgoing import Outgoing, TryLater
from notification_service.delivering.store import Due
from notification_service.delivering.unsubscribe import unsubscribe_path
from notification_service.preferences.rules import ALWAYS, Channel
from notification_service.wording.kinds import KINDS, Kind
from notification_service.wording.message import Attachment
from notification_service.wording.render import QR_CONTENT_ID, render, short_text
from rihla.contracts.events.booking import DocumentFact
from rihla.storage import ObjectMissing, ObjectStore, StorageUnavailable

_MOST_ATTACHED_BYTES = 15_000_000


@dataclass(frozen=True, slots=True)
class Composer:
    """Reads documents, never writes anything."""

    storage: ObjectStore
    public_url: str
    unsubscribe_secret: bytes

    async def compose(self, due: Due) -> Outgoing:
        """The message of a delivery. Raises TryLater when the document store does not answer."""
        if due.channel != Channel.EMAIL:
            title, short = short_text(due.kind, due.facts, due.locale)
            return Outgoing(
                message_id=due.message_id,
                address=due.address,
                subject=title,
                short=short,
                text=short,
                urgent=KINDS[due.kind].urgent,
            )
        kind = KINDS[due.kind]
        files = await self._documents(due, kind)
        waited_in_vain = kind.waits_for is not None and not files
        unsubscribe = self._unsubscribe_link(due, kind)
        link = self._link(due, kind)
        words = render(
            due.kind,
            due.facts,
            due.locale,
            link=link,
            attached=[file.name for file in files],
            documents_link=f"{link}/documents" if waited_in_vain else None,
            unsubscribe_link=unsubscribe,
            show_qr=kind.show_qr,
        )
        pictures = (Attachment("booking.png", "image/png", qr_png(link), QR_CONTENT_ID),) if kind.show_qr else ()
        return Outgoing(
            message_id=due.message_id,
            address=due.address,
            subject=words.subject,
            short=words.short,
            text=words.text,
            html=words.html,
            attachments=(*pictures, *files),
            headers=_unsubscribe_headers(unsubscribe) | _reply_headers(due),
        )

    async def _documents(self, due: Due, kind: Kind) -> tuple[Attachment, ...]:
        found: list[Attachment] = []
        for fact in _wanted(due, kind):
            try:
                data = await self.storage.get(fact.storage_key)
            except ObjectMissing:
                continue
            except StorageUnavailable as error:
                raise TryLater("the document store does not answer") from error
            if sum(len(one.data) for one in found) + len(data) <= _MOST_ATTACHED_BYTES:
                found.append(Attachment(fact.name, fact.media_type, data))
        return tuple(found)

    def _link(self, due: Due, kind: Kind) -> str:
        ticket = due.facts.get("ticket_id")
        paths = {
            "booking": f"/v1/bookings/{due.booking_id}",
            "account": "/v1/me",
            "search": "/docs",
            "support": f"/v1/support/tickets/{ticket}" if ticket else "/v1/chat/conversations",
        }
        return self.public_url + (paths[kind.link] if due.booking_id or kind.link != "booking" else "/v1/bookings")

    def _unsubscribe_link(self, due: Due, kind: Kind) -> str | None:
        if Channel.EMAIL in ALWAYS.get(kind.category, ()):
            return None
        return self.public_url + unsubscribe_path(due.user_id, kind.category, self.unsubscribe_secret)


def _wanted(due: Due, kind: Kind) -> list[DocumentFact]:
    """PDFs of the kinds this mail takes; a ticket of one airline alone is inside the ticket of all."""
    return [
        one
        for one in due.documents
        if one.kind in kind.document_kinds
        and one.media_type == "application/pdf"
        and not (one.kind == "ticket" and not one.name.endswith("-tickets.pdf"))
    ]


def _unsubscribe_headers(link: str | None) -> dict[str, str]:
    """RFC 8058: one click, no page in between."""
    if link is None:
        return {}
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _reply_headers(due: Due) -> dict[str, str]:
    """Where an answer to this mail goes, when somebody reads it there."""
    address = due.facts.get("reply_address")
    return {"Reply-To": address} if address else {}


@lru_cache(maxsize=64)
def qr_png(link: str) -> bytes:
    """The QR code of a link as PNG, one bit a pixel."""
    symbol = zxingcpp.create_barcode(link, zxingcpp.BarcodeFormat.QRCode)
    out = io.BytesIO()
    modules = Image.fromarray(symbol.to_image(scale=1, add_quiet_zones=True)).convert("1", dither=Image.Dither.NONE)
    modules.resize((4 * modules.width, 4 * modules.height), Image.Resampling.NEAREST).save(out, "PNG", compress_level=1)
    return out.getvalue()
