"""Mail that comes in: addresses that name a ticket and cannot be guessed, and what somebody really wrote. Pure."""

import hashlib
import hmac
import re

LONGEST_BODY = 10_000
_SIGNATURE_CHARACTERS = 20
_TOLERANCE_SECONDS = 300
_QUOTE_STARTS = re.compile(
    r"^(>|On .{1,200} wrote:$|-{2,}\s*Original Message\s*-{2,}$|From: .{1,200}$|_{10,}$"
    r"|.{1,200} (كتب|লিখেছেন|نے لکھا):$)",
    re.IGNORECASE,
)


def reply_address(support_address: str, number: int, secret: bytes) -> str:
    """Where mail becomes a reply to one ticket: `support+100001.<signature>@...`; whoever has it may write there."""
    name, _, domain = support_address.partition("@")
    return f"{name}+{number}.{_sign(number, secret)}@{domain}"


def ticket_number_of(address: str, support_address: str, secret: bytes) -> int | None:
    """The number of the ticket an address names; None for a plain address.

    Raises ValueError for one that names a ticket without our signature.
    """
    name, _, domain = support_address.lower().partition("@")
    found = re.fullmatch(
        rf"{re.escape(name)}\+([0-9]{{1,15}})\.([0-9a-f]{{{_SIGNATURE_CHARACTERS}}})@{re.escape(domain)}",
        address.strip().lower(),
    )
    if found is None:
        if "+" in address.partition("@")[0]:
            raise ValueError("not an address of ours")
        return None
    number = int(found[1])
    if not hmac.compare_digest(_sign(number, secret), found[2]):
        raise ValueError("the signature does not fit")
    return number


def is_plain_address(address: str, support_address: str) -> bool:
    """Whether mail to this address opens a ticket."""
    return address.strip().lower() == support_address.lower()


def written(text: str) -> str:
    """What the sender wrote above the mail they quote, at most 10,000 characters."""
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").replace("\x00", "").split("\n"):
        if _QUOTE_STARTS.match(line.strip()):
            break
        lines.append(line.rstrip())
    return "\n".join(lines).strip()[:LONGEST_BODY]


def signature_of(body: bytes, timestamp: int, secret: bytes) -> str:
    """`t=<unix>,v1=<hex>`: HMAC-SHA256 over `<t>.<raw body>`, as the mail adapter sends it in `Mail-Signature`."""
    digest = hmac.new(secret, b"%d." % timestamp + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def signature_fits(header: str, body: bytes, secret: bytes, now: float) -> bool:
    """Whether the adapter signed exactly this body within the last five minutes (or the next)."""
    found = re.fullmatch(r"t=([0-9]{1,12}),v1=[0-9a-f]{64}", header)
    if found is None:
        return False
    timestamp = int(found[1])
    fits = hmac.compare_digest(signature_of(body, timestamp, secret), header)
    return fits and abs(now - timestamp) <= _TOLERANCE_SECONDS


def _sign(number: int, secret: bytes) -> str:
    return hmac.new(secret, f"ticket {number}".encode(), hashlib.sha256).hexdigest()[:_SIGNATURE_CHARACTERS]
