"""What is sent by SMTP is read back by HTTP; a mail answered 250 is never lost; the HTML of a mail runs nothing."""

import asyncio
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import httpx
import pytest
import pytest_asyncio

from rihla.testing import running
from rihla_inbox.main import create_app
from rihla_inbox.parsing import Mail, parse
from rihla_inbox.store import Store

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:aiosmtpd.*")


class Box:
    """A running inbox: where to send, and a client to read with."""

    def __init__(self, port: int, http: httpx.AsyncClient) -> None:
        self.port = port
        self.http = http

    async def send(self, message: EmailMessage | bytes, *to: str) -> None:
        await aiosmtplib.send(
            message,
            sender="a@rihla.example",
            recipients=list(to),
            hostname="127.0.0.1",
            port=self.port,
            start_tls=False,
        )

    async def items(self, **params: str | int) -> list[dict[str, Any]]:
        answer = await self.http.get("/messages", params=params)
        assert answer.status_code == 200
        return list(answer.json()["items"])


@pytest_asyncio.fixture
async def box(tmp_path: Path) -> AsyncIterator[Box]:
    app = create_app(smtp_port=0, data_dir=tmp_path / "inbox")
    async with running(app) as http:
        yield Box(app.state.smtp_port, http)


def mail(
    subject: str = "Hello", text: str = "text", html: str | None = None, to: str = "b@example.com"
) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Rihla <a@rihla.example>", to, subject
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


async def test_a_mail_is_read_back_with_its_text_html_and_attachment(box: Box) -> None:
    message = mail("আপনার টিকিট", "Dear Amina", "<p>Dear <b>Amina</b></p>")
    message.add_attachment(b"%PDF-1.7 ticket", maintype="application", subtype="pdf", filename="ticket.pdf")
    await box.send(message, "b@example.com")
    (item,) = await box.items(to="B@example.com")
    assert set(item) == {"to", "subject", "text", "html", "attachments", "received_at"}
    assert (item["to"], item["subject"], item["text"].strip()) == ("b@example.com", "আপনার টিকিট", "Dear Amina")
    assert "<b>Amina</b>" in item["html"]
    (file,) = item["attachments"]
    assert (file["name"], file["type"]) == ("ticket.pdf", "application/pdf")
    got = await box.http.get(file["url"])
    assert got.content == b"%PDF-1.7 ticket"
    assert got.headers["content-disposition"].startswith("attachment")


async def test_the_newest_comes_first_and_each_recipient_has_a_copy(box: Box) -> None:
    for number in range(3):
        await box.send(mail(f"number {number}"), "b@example.com", "c@example.com")
    assert [item["subject"] for item in await box.items(to="c@example.com", limit=2)] == ["number 2", "number 1"]
    assert len(await box.items()) == 6
    assert await box.items(to="d@example.com") == []


async def test_a_text_message_is_found_by_its_phone_number(box: Box) -> None:
    await box.send(mail(to="+8801712345678@sms.local"), "+8801712345678@sms.local")
    assert len((await box.http.get("/messages?to=%2B8801712345678@sms.local")).json()["items"]) == 1
    assert len((await box.http.get("/messages?to=+8801712345678@sms.local")).json()["items"]) == 1


async def test_many_senders_at_once_lose_nothing(box: Box) -> None:
    async def sender(number: int) -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=box.port, start_tls=False) as client:
            for count in range(25):
                await client.send_message(mail(f"{number}/{count}"), recipients=["b@example.com"])

    await asyncio.gather(*(sender(number) for number in range(8)))
    assert {item["subject"] for item in await box.items(limit=500)} == {
        f"{number}/{count}" for number in range(8) for count in range(25)
    }


async def test_a_mails_markup_is_shown_but_never_run(box: Box) -> None:
    evil = "<script>alert(1)</script>"
    await box.send(mail(evil, evil, f"<p>{evil}<img src=x onerror=alert(1)></p>"), "b@example.com")
    for page in ("/", "/mail/1"):
        answer = await box.http.get(page)
        assert evil not in answer.text
        assert "script-src" not in answer.headers["content-security-policy"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "sandbox src=" in (await box.http.get("/mail/1")).text
    framed = await box.http.get("/mail/1/html")
    assert framed.headers["content-security-policy"].startswith("sandbox; default-src 'none'")


async def test_pages_of_what_is_not_there_are_404(box: Box) -> None:
    for path in ("/mail/7", "/mail/7/html", "/attachments/7/1"):
        assert (await box.http.get(path)).status_code == 404
    assert (await box.http.get("/health/ready")).status_code == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe\x00",
        b"Subject: =?utf-9?q?x?=\r\n\r\nhi",
        b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xe9",
    ],
)
def test_a_malformed_mail_is_kept_all_the_same(raw: bytes) -> None:
    assert isinstance(parse(raw, "a@example.com"), Mail)


async def test_a_mail_survives_the_process_that_answered_for_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    await store.add(parse(mail("kept").as_bytes(), ""), ["b@example.com"], 100)
    other = Store(tmp_path)  # opened while the first one is not closed, as after a kill
    assert [one.subject for one in other.messages("b@example.com", 10)] == ["kept"]
    store.close()
    other.close()


async def test_the_oldest_go_when_there_are_too_many(tmp_path: Path) -> None:
    store = Store(tmp_path, kept_mails=50)
    parsed = parse(mail("many").as_bytes(), "")
    await asyncio.gather(*(store.add(parsed, ["b@example.com"], 100) for _ in range(400)))
    await asyncio.gather(*(store.add(parsed, ["b@example.com"], 100) for _ in range(201)))
    store.close()
    again = Store(tmp_path)
    assert 50 <= len(again.messages(None, 1000)) < 300
    again.close()
