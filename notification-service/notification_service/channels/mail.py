"""MIME messages, ready for a DKIM signer: one From, Date, Message-ID, no folding surprises. Pure.

Written as bytes rather than through the `email` package, which looks at each line of an attachment several times: a
ticket with its receipt cost 6 ms that way. Every header value from outside is stripped of line breaks here, and no
line of a body exceeds 76 characters (RFC 2045), so that nothing needs to be folded again.
"""

import binascii
import hashlib
import re
from datetime import datetime
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from email.utils import encode_rfc2231, format_datetime, formataddr, parseaddr
from functools import lru_cache

from notification_service.channels.outgoing import Outgoing, Refused
from notification_service.wording.message import Attachment

_EOL = b"\r\n"
_LINE = 76
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def mime_message(message: Outgoing, *, sender: str, to: str, now: datetime) -> bytes:
    """The message as mail to `to`: plain text, its HTML twin with inline pictures, attachments.

    Raises Refused when the address is none.
    """
    headers = [
        ("From", _sender(sender)),
        ("To", _checked_address(to)),
        ("Subject", _subject(message.subject)),
        ("Date", format_datetime(now)),
        ("Message-ID", _one_line(message.message_id)),
        ("Auto-Submitted", "auto-generated"),
        *((name, _one_line(value)) for name, value in message.headers.items()),
        ("MIME-Version", "1.0"),
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in headers).encode("ascii")
    return head + _body(message)


@lru_cache(maxsize=64)
def _sender(sender: str) -> str:
    return formataddr(parseaddr(sender), "utf-8")


def _checked_address(to: str) -> str:
    if _PLAIN_ADDRESS.fullmatch(to):
        return to
    try:
        address = Address(addr_spec=to)
    except (ValueError, IndexError, MessageError) as error:
        raise Refused("the address is not a mail address") from error
    if not address.domain or not to.isascii() or not to.isprintable():
        raise Refused("the address is not a mail address")
    return str(address)


def _subject(subject: str) -> str:
    line = _one_line(subject)
    if line.isascii() and len(line) < 68:
        return line
    return Header(line, "us-ascii" if line.isascii() else "utf-8", header_name="Subject").encode(linesep="\r\n")


def _body(message: Outgoing) -> bytes:
    """The part headers and content from here to the end."""
    text = _text("plain", message.text)
    if message.html is None:
        return text
    # `=_` appears in no base64 and no quoted-printable line, so that no body can hold a boundary (RFC 2045, 6.7).
    mark = f"=_{hashlib.sha256(message.message_id.encode()).hexdigest()[:24]}"
    page = _text("html", message.html)
    pictures = [_file(one, "inline") for one in message.attachments if one.content_id]
    if pictures:
        page = _multipart("related", f"{mark}r", [page, *pictures])
    body = _multipart("alternative", f"{mark}a", [text, page])
    files = [_file(one, "attachment") for one in message.attachments if not one.content_id]
    return _multipart("mixed", f"{mark}m", [body, *files]) if files else body


def _multipart(kind: str, boundary: str, parts: list[bytes]) -> bytes:
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode("ascii")
    between = f"--{boundary}\r\n".encode("ascii")
    pieces = [head]
    for part in parts:
        pieces += (between, part)
    pieces.append(f"--{boundary}--\r\n".encode("ascii"))
    return b"".join(pieces)


def _text(kind: str, text: str) -> bytes:
    data = "\r\n".join(text.splitlines()).encode() + _EOL
    encoding, body = "quoted-printable", binascii.b2a_qp(data, istext=True)
    if len(body) > len(data) * 3 // 2:
        # Scripts other than Latin grow threefold as quoted-printable, by a third as base64.
        encoding, body = "base64", _base64(data)
    head = f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    return b"".join((head.encode("ascii"), body, b"" if body.endswith(_EOL) else _EOL))


def _file(file: Attachment, disposition: str) -> bytes:
    head = [
        f"Content-Type: {_one_line(file.media_type)}",
        "Content-Transfer-Encoding: base64",
        f"Content-Disposition: {disposition}; {_file_name(_one_line(file.name))}",
    ]
    if file.content_id:
        head.append(f"Content-ID: <{_one_line(file.content_id)}>")
    return "".join(f"{line}\r\n" for line in [*head, ""]).encode("ascii") + _base64(file.data)


def _file_name(name: str) -> str:
    if name.isascii():
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'filename="{quoted}"'
    return f"filename*={encode_rfc2231(name, 'utf-8')}"


def _base64(data: bytes) -> bytes:
    whole = binascii.b2a_base64(data, newline=False)
    return _EOL.join([whole[at : at + _LINE] for at in range(0, len(whole), _LINE)]) + _EOL


def _one_line(value: str) -> str:
    return " ".join(value.split())
