"""MIME messages, ready for a DKIM signer: one From, Date, Message-ID, no folding surprises. Pure.

Built from the plain MIME classes rather than `EmailMessage`, whose header parsing costs several times as much a mail;
every header value from outside is stripped of line breaks here.
"""

import io
from datetime import datetime
from email import charset, encoders
from email.errors import MessageError
from email.generator import BytesGenerator
from email.header import Header
from email.headerregistry import Address
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime, formataddr, parseaddr

from notification_service.channels.outgoing import Outgoing, Refused
from notification_service.wording.message import Attachment

_UTF8 = charset.Charset("utf-8")
_UTF8.body_encoding = charset.QP
_WIRE = compat32.clone(linesep="\r\n")


def mime_message(message: Outgoing, *, sender: str, to: str, now: datetime) -> bytes:
    """The message as mail to `to`: plain text, its HTML twin with inline pictures, attachments.

    Raises Refused when the address is none.
    """
    mail = _body(message)
    name, address = parseaddr(sender)
    mail["From"] = formataddr((name, address), "utf-8")
    mail["To"] = _checked_address(to)
    mail["Subject"] = Header(_one_line(message.subject), _charset_of(message.subject), header_name="Subject").encode()
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = _one_line(message.message_id)
    mail["Auto-Submitted"] = "auto-generated"
    for header, value in message.headers.items():
        mail[header] = _one_line(value)
    out = io.BytesIO()
    BytesGenerator(out, mangle_from_=False, policy=_WIRE).flatten(mail)
    return out.getvalue()


def _checked_address(to: str) -> str:
    try:
        address = Address(addr_spec=to)
    except (ValueError, IndexError, MessageError) as error:
        raise Refused("the address is not a mail address") from error
    if not address.domain or not to.isascii() or not to.isprintable():
        raise Refused("the address is not a mail address")
    return str(address)


def _body(message: Outgoing) -> MIMEBase:
    text = MIMEText(message.text, "plain", _UTF8)  # type: ignore[arg-type]
    attached = [file for file in message.attachments if not file.content_id]
    if message.html is None:
        return text
    body = MIMEMultipart("alternative")
    body.attach(text)
    body.attach(_html(message.html, [file for file in message.attachments if file.content_id]))
    if not attached:
        return body
    whole = MIMEMultipart("mixed")
    whole.attach(body)
    for file in attached:
        whole.attach(_file(file, "attachment"))
    return whole


def _html(html: str, pictures: list[Attachment]) -> MIMEBase:
    page = MIMEText(html, "html", _UTF8)  # type: ignore[arg-type]
    if not pictures:
        return page
    related = MIMEMultipart("related")
    related.attach(page)
    for picture in pictures:
        part = _file(picture, "inline")
        part["Content-ID"] = f"<{picture.content_id}>"
        related.attach(part)
    return related


def _file(file: Attachment, disposition: str) -> MIMEBase:
    main, sub = file.media_type.split("/", 1)
    part = MIMEBase(main, sub)
    part.set_payload(file.data)
    encoders.encode_base64(part)
    part.add_header("Content-Disposition", disposition, filename=file.name)
    return part


def _charset_of(text: str) -> str:
    return "us-ascii" if text.isascii() else "utf-8"


def _one_line(value: str) -> str:
    return " ".join(value.split())
