"""What a presented refresh token means for its family (RFC 9700, section 4.14), and how a device is called."""

from datetime import datetime, timedelta
from enum import Enum


class Use(Enum):
    """The verdict on a presented generation."""

    ROTATE = "rotate"
    REPEAT = "repeat"
    REUSE = "reuse"
    UNKNOWN = "unknown"


def judge_refresh(
    *, presented: int, current: int, rotated_at: datetime, now: datetime, grace: timedelta, same_as_stored: bool
) -> Use:
    """The newest generation rotates; the one before it repeats the last answer within the grace; older is reuse.

    A generation that was never handed out, or one whose hash differs from what is stored, is unknown.
    """
    if presented == current:
        return Use.ROTATE if same_as_stored else Use.UNKNOWN
    if presented > current:
        return Use.UNKNOWN
    if presented == current - 1 and now - rotated_at < grace:
        return Use.REPEAT
    return Use.REUSE


_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("okhttp/", "Android app"),
    ("CFNetwork/", "iOS app"),
    ("curl/", "curl"),
    ("python-httpx/", "Python"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def device_name(user_agent: str | None) -> str:
    """A name a person recognises, such as `Firefox on Windows`, made from the User-Agent header."""
    agent = user_agent or ""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return " on ".join(part for part in (browser, system) if part) or "Unknown device"
