"""MIME messages, ready for a DKIM signer: one From, Date, Message-ID, no folding surprises. Pure."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from notification_service.channels.outgoing import Outgoing, Refused


def mime_message(message: Outgoing, *, sender: str, to: str, now: datetime) -> EmailMessage:
    """The message as mail to `to`: plain text, its HTML twin with inline pictures, attachments.

    Raises Refused when the address is none.
    """
    mail = EmailMessage(policy=SMTP)
    name, address = parseaddr(sender)
    mail["From"] = Address(display_name=name, addr_spec=address)
    try:
        mail["To"] = Address(addr_spec=to)
    except (ValueError, IndexError) as error:
        raise Refused("the address is not a mail address") from error
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = message.message_id
    mail["Auto-Submitted"] = "auto-generated"
    for header, value in message.headers.items():
        mail[header] = value
    mail.set_content(message.text, cte="quoted-printable")
    if message.html is not None:
        mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
        html_part = list(mail.iter_parts())[-1]
        assert isinstance(html_part, MIMEPart)
        for file in message.attachments:
            if file.content_id:
                main, sub = file.media_type.split("/", 1)
                html_part.add_related(file.data, main, sub, cid=f"<{file.content_id}>", filename=file.name)
    for file in message.attachments:
        if not file.content_id:
            main, sub = file.media_type.split("/", 1)
            mail.add_attachment(file.data, maintype=main, subtype=sub, filename=file.name)
    return mail
