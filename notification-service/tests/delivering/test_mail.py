import io
from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from notification_service.channels.local import local_part
from notification_service.channels.mail import mime_message
from notification_service.channels.outgoing import Outgoing, Refused
from notification_service.channels.smtp import SmtpPool
from notification_service.delivering.compose import qr_png
from notification_service.wording.message import Attachment

NOW = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)


def outgoing(**changes: Any) -> Outgoing:
    values = {
        "message_id": "<1@rihla.test>",
        "address": "amina@example.com",
        "subject": "আপনার বুকিং K7QX2M নিশ্চিত হয়েছে, " * 3,
        "short": "short",
        "text": "সাদা লেখা\n" + "x" * 2000,
        "html": "<p>আপনার টিকিট</p>" + "<br>" * 500,
        "attachments": (
            Attachment("qr.png", "image/png", b"\x89PNG", "booking-qr"),
            Attachment("K7QX2M-tickets.pdf", "application/pdf", bytes(range(256)) * 100),
        ),
        "headers": {"List-Unsubscribe": "<https://x>"},
    }
    return Outgoing(**{**values, **changes})


def test_a_mail_reads_back_as_it_was_meant() -> None:
    raw = mime_message(outgoing(), sender="Rihla <no-reply@rihla.test>", to="amina@example.com", now=NOW)
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    mail = message_from_bytes(raw, policy=policy.default)
    assert mail["Subject"] == " ".join(outgoing().subject.split())
    assert (mail["From"], mail["To"]) == ("Rihla <no-reply@rihla.test>", "amina@example.com")
    assert mail["Message-ID"] == "<1@rihla.test>"
    assert mail["Date"].datetime == NOW
    assert mail.get_body(("plain",)).get_content().startswith("সাদা লেখা")
    assert "আপনার টিকিট" in mail.get_body(("html",)).get_content()
    (paper,) = mail.iter_attachments()
    assert paper.get_filename() == "K7QX2M-tickets.pdf"
    assert paper.get_content() == bytes(range(256)) * 100
    inline = [part for part in mail.walk() if part["Content-ID"] == "<booking-qr>"]
    assert inline[0].get_content() == b"\x89PNG"


async def test_lines_that_begin_with_a_dot_arrive_as_they_were_written(mail_server: Any, box: Any) -> None:
    pool = SmtpPool(mail_server.url, connections=1, timeout=60)
    raw = b"Subject: dots\r\n\r\n.\r\n..two\r\n.hidden\r\nend\r\n"
    for mail in (raw, b".first" + raw):
        await pool.send(mail, sender="a@rihla.test", recipient="b@example.com")
    assert box.mails[0].get_payload() == ".\r\n..two\r\n.hidden\r\nend\r\n"
    await pool.close()


def test_the_code_in_the_mail_is_read_by_a_camera() -> None:
    link = "https://rihla.test/v1/bookings/0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c11"
    assert zxingcpp.read_barcode(Image.open(io.BytesIO(qr_png(link)))).text == link


def test_nothing_from_outside_begins_another_header() -> None:
    raw = mime_message(
        outgoing(subject="hello\r\nBcc: all@example.com"), sender="a@rihla.test", to="b@example.com", now=NOW
    )
    mail = message_from_bytes(raw, policy=policy.default)
    assert mail["Bcc"] is None
    assert mail["Subject"] == "hello Bcc: all@example.com"


@pytest.mark.parametrize("to", ["", "nobody", "a@b@c", "a b@example.com", "x@example.com\r\nBcc: y@z.org", "@x.org"])
def test_what_is_no_address_is_refused(to: str) -> None:
    with pytest.raises(Refused):
        mime_message(outgoing(), sender="a@rihla.test", to=to, now=NOW)


def test_a_push_token_becomes_a_local_part_a_mail_server_takes() -> None:
    assert local_part("simple-token_1") == "simple-token_1"
    long = "cXyZ:APA91b" + "H" * 150
    assert len(local_part(long)) <= 64
    assert local_part(long) != local_part(long + "x")
