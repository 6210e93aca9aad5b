"""A small pool of SMTP connections, each used for many messages."""

import asyncio
import contextlib
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

import aiosmtplib

from notification_service.channels.mail import mime_message
from notification_service.channels.outgoing import Outgoing, Refused, TryLater
from rihla.kernel import Clock
from rihla.telemetry import Counter

SENT = Counter("rihla_mails_total", "Mails handed to the mail server", ["outcome"])


class SmtpPool:
    """Connects when first needed. A connection that failed in any way is dropped, never used again."""

    def __init__(self, url: str, *, connections: int, timeout: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps", "smtp+starttls") or not parts.hostname:
            raise ValueError("SMTP_URL begins with smtp://, smtps:// or smtp+starttls:// and names a host")
        self._parts = parts
        self._timeout = timeout
        self._idle: list[aiosmtplib.SMTP] = []
        self._slots = asyncio.Semaphore(connections)

    async def send(self, mail: bytes, *, sender: str, recipient: str) -> str:
        """The server's answer once it accepted the mail. Raises TryLater or Refused."""
        async with self._slots:
            for fresh in (False, True):
                client = await self._take(fresh=fresh)
                if client is None:
                    continue
                try:
                    answer = await self._hand_over(client, mail, sender, recipient)
                except aiosmtplib.SMTPServerDisconnected as error:
                    # An idle connection the server closed is normal; a fresh one that breaks is not.
                    await _drop(client)
                    if fresh:
                        raise TryLater("the mail server closed the connection") from error
                except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
                    await _drop(client)
                    raise _translate(error) from error
                except BaseException:
                    await _drop(client)
                    raise
                else:
                    self._idle.append(client)
                    SENT.labels("accepted").inc()
                    return answer[:200]
            raise TryLater("no connection to the mail server")

    async def close(self) -> None:
        """Say goodbye on every idle connection."""
        while self._idle:
            client = self._idle.pop()
            with contextlib.suppress(Exception):
                await client.quit(timeout=1)

    async def _hand_over(self, client: aiosmtplib.SMTP, mail: bytes, sender: str, recipient: str) -> str:
        """One transaction, without `sendmail`: its three regular expressions over the whole mail cost half of all
        that sending one does, and our mails end every line with CRLF already (`mime_message`).
        """
        size = [f"size={len(mail)}"] if client.supports_extension("size") else []
        await client.mail(sender, options=size)
        await client.rcpt(recipient)
        begun = await client.execute_command(b"DATA")
        if begun.code != aiosmtplib.SMTPStatus.start_input or client.protocol is None:
            raise aiosmtplib.SMTPDataError(begun.code, begun.message)
        # RFC 5321, 4.5.2: a line that begins with a dot gets another one.
        stuffed = mail.replace(b"\r\n.", b"\r\n..")
        client.protocol.write(b"." * mail.startswith(b".") + stuffed + b".\r\n")
        taken = await client.protocol.read_response(timeout=self._timeout)
        if taken.code != aiosmtplib.SMTPStatus.completed:
            raise aiosmtplib.SMTPDataError(taken.code, taken.message)
        return taken.message

    async def _take(self, *, fresh: bool) -> aiosmtplib.SMTP | None:
        while self._idle and not fresh:
            client = self._idle.pop()
            if client.is_connected:
                return client
        if not fresh:
            return None
        client = aiosmtplib.SMTP(
            hostname=self._parts.hostname,
            port=self._parts.port,
            username=unquote(self._parts.username) if self._parts.username else None,
            password=unquote(self._parts.password) if self._parts.password else None,
            use_tls=self._parts.scheme == "smtps",
            start_tls=self._parts.scheme == "smtp+starttls",
            timeout=self._timeout,
        )
        try:
            await client.connect()
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            await _drop(client)
            SENT.labels("unreachable").inc()
            raise TryLater(f"the mail server does not answer: {type(error).__name__}") from error
        return client


async def _drop(client: aiosmtplib.SMTP) -> None:
    with contextlib.suppress(Exception):
        client.close()


def _translate(error: Exception) -> Exception:
    """4xx and broken connections pass with time; a 5xx for this recipient or message does not (RFC 5321, 4.2.1)."""
    codes: list[int] = []
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        codes = [one.code for one in error.recipients]
    elif isinstance(error, aiosmtplib.SMTPResponseException):
        codes = [error.code]
    final = (
        bool(codes)
        and all(500 <= code < 600 for code in codes)
        and not isinstance(error, aiosmtplib.SMTPAuthenticationError)
    )
    SENT.labels("refused" if final else "later").inc()
    said = ", ".join(map(str, codes)) or type(error).__name__
    return Refused(f"the mail server refused it: {said}") if final else TryLater(f"the mail server said: {said}")


class MailSender:
    """The e-mail channel."""

    def __init__(self, pool: SmtpPool, *, sender: str, clock: Clock) -> None:
        self._pool = pool
        self._sender = sender
        self._envelope_sender = parseaddr(sender)[1]
        self._clock = clock

    async def send(self, message: Outgoing) -> str:
        """Send as mail to the address."""
        return await self.send_to(message, message.address)

    async def send_to(self, message: Outgoing, to: str) -> str:
        """Send as mail to another address than the message's own: local stand-ins of other channels do."""
        mail = mime_message(message, sender=self._sender, to=to, now=self._clock.now())
        return await self._pool.send(mail, sender=self._envelope_sender, recipient=to)
