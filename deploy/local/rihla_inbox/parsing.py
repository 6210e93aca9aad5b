"""From the bytes of a mail to what a person reads."""

from __future__ import annotations

from dataclasses import dataclass
from email import policy
from email.message import MIMEPart
from email.parser import BytesParser


@dataclass(frozen=True)
class Attachment:
    """One attached (or inline) file. `content_id` is what `cid:` links in the HTML name."""

    name: str
    type: str
    content_id: str
    data: bytes


@dataclass(frozen=True)
class Mail:
    """What was said, decoded."""

    sender: str
    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...]


def parse(raw: bytes, envelope_sender: str) -> Mail:
    """Decode a mail. Never fails: a part that cannot be decoded is shown as well as it can be."""
    message = BytesParser(policy=policy.default).parsebytes(raw)
    text_part = message.get_body(("plain",))
    html_part = message.get_body(("html",))
    bodies = {id(part) for part in (text_part, html_part) if part is not None}
    attachments = [
        _attachment(part, number)
        for number, part in enumerate(message.walk(), start=1)
        if not part.is_multipart() and id(part) not in bodies
    ]
    return Mail(
        sender=_header(message, "From") or envelope_sender,
        subject=_header(message, "Subject"),
        text=_text(text_part),
        html=_text(html_part),
        attachments=tuple(attachments),
    )


def _header(message: MIMEPart, name: str) -> str:
    try:
        return str(message.get(name, ""))
    except Exception:  # a malformed header raises many things, and a mail must not be lost for it
        return ""


def _text(part: MIMEPart | None) -> str:
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError, AttributeError):
        return _payload(part).decode("utf-8", errors="replace")


def _attachment(part: MIMEPart, number: int) -> Attachment:
    try:
        name = part.get_filename() or f"part-{number}"
    except (LookupError, ValueError, AttributeError):
        name = f"part-{number}"
    content_id = _header(part, "Content-ID").strip().strip("<>")
    return Attachment(name, part.get_content_type(), content_id, _payload(part))


def _payload(part: MIMEPart) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""
