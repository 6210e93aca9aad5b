"""How an e-mail address, a phone number or a user name is brought to the one form it is stored and compared in."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

import phonenumbers

Channel = Literal["email", "sms"]

_EMAIL = re.compile(r"^[^@\s\x00-\x1f\x7f,;:<>()\[\]\\\"]{1,64}@[^@\s\x00-\x1f\x7f,;:<>()\[\]\\\"]{1,255}$")
_HOST = re.compile(r"^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$")
_USERNAME = re.compile(r"^[a-z][a-z0-9._-]{2,29}$")


@dataclass(frozen=True, slots=True)
class Identifier:
    """An address in its normal form and the channel that reaches it. `username` reaches nobody by itself."""

    kind: Literal["email", "phone", "username"]
    value: str

    @property
    def channel(self) -> Channel:
        """How a code reaches this identifier. ValueError for a user name."""
        if self.kind == "username":
            raise ValueError("a user name is not an address")
        return "email" if self.kind == "email" else "sms"


def normal_email(text: str) -> str:
    """NFKC, lower case, host in its ASCII form (RFC 5891). ValueError when it is no e-mail address."""
    folded = unicodedata.normalize("NFKC", text.strip()).lower()
    local, at, host = folded.rpartition("@")
    try:
        ascii_host = host.encode("idna").decode() if host else ""
    except UnicodeError as error:
        raise ValueError("not an e-mail address") from error
    address = f"{local}@{ascii_host}"
    dots = local.startswith(".") or local.endswith(".") or ".." in local
    if not at or dots or not _EMAIL.match(address) or not _HOST.match(ascii_host) or len(address) > 254:
        raise ValueError("not an e-mail address")
    return address


def normal_phone(text: str) -> str:
    """E.164 with the leading plus. ValueError when it is no possible, assigned number with its country code."""
    folded = unicodedata.normalize("NFKC", text.strip())
    try:
        number = phonenumbers.parse(folded, None)
    except phonenumbers.NumberParseException as error:
        raise ValueError("not a phone number with its country code") from error
    if not phonenumbers.is_valid_number(number):
        raise ValueError("not a phone number with its country code")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normal_username(text: str) -> str:
    """Lower case; 3-30 of letters, digits, dot, dash, underscore, beginning with a letter. ValueError otherwise."""
    folded = unicodedata.normalize("NFKC", text.strip()).lower()
    if not _USERNAME.match(folded):
        raise ValueError(
            "a user name has 3 to 30 letters, digits, dots, dashes or underscores and begins with a letter"
        )
    return folded


def parse_identifier(text: str) -> Identifier:
    """Tell an e-mail address, a phone number and a user name apart by their shape. ValueError when it is none."""
    stripped = text.strip()
    if "@" in stripped:
        return Identifier("email", normal_email(stripped))
    if stripped[:1] in ("+", "\uff0b") or stripped[:1].isdigit():
        return Identifier("phone", normal_phone(stripped))
    return Identifier("username", normal_username(stripped))


def parse_address(text: str) -> Identifier:
    """Like `parse_identifier`, for what must be reachable: a user name is refused with ValueError."""
    identifier = parse_identifier(text)
    if identifier.kind == "username":
        raise ValueError("send an e-mail address or a phone number")
    return identifier
