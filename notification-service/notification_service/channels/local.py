"""SMS and push in the local stack: mails that end in the same inbox, `+8801...@sms.local` and `<token>@push.local`."""

import hashlib
import re
from dataclasses import replace

from notification_service.channels.outgoing import Outgoing
from notification_service.channels.smtp import MailSender

_PLAIN = re.compile(r"[A-Za-z0-9+_=-]{1,64}")


class SmsByMail:
    """The text alone, as a telephone would show it."""

    def __init__(self, mail: MailSender) -> None:
        self._mail = mail

    async def send(self, message: Outgoing) -> str:
        """Send to the inbox of the number."""
        text = replace(message, subject=message.short, text=message.short, html=None, attachments=())
        return await self._mail.send_to(text, f"{message.address}@sms.local")


class PushByMail:
    """Title and text, as a lock screen would show them."""

    def __init__(self, mail: MailSender) -> None:
        self._mail = mail

    async def send(self, message: Outgoing) -> str:
        """Send to the inbox of the token."""
        push = replace(message, text=message.short, html=None, attachments=())
        token = message.address.partition(":")[2] or message.address
        return await self._mail.send_to(push, f"{local_part(token)}@push.local")


def local_part(token: str) -> str:
    """The token where a mail address can hold it, else its first letters and a digest (64 characters at the most)."""
    if _PLAIN.fullmatch(token):
        return token
    kept = re.sub(r"[^A-Za-z0-9_-]", "-", token)[:40]
    return f"{kept}-{hashlib.sha256(token.encode()).hexdigest()[:16]}"
