"""One call to a provider over HTTP: what passes with time becomes TryLater here, every other answer is the caller's."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from notification_service.channels.outgoing import TryLater
from rihla.kernel import Clock
from rihla.telemetry import Counter

CALLS = Counter("rihla_channel_calls_total", "Calls to providers of SMS and push", ["provider", "status"])
_LONGEST_PAUSE = timedelta(hours=6)


async def ask(
    client: httpx.AsyncClient, provider: str, url: str, clock: Clock, *, pause_when_busy: timedelta, **request: Any
) -> httpx.Response:
    """POST. Raises TryLater for no answer, 408, 429 and 5xx, with the pause of Retry-After.

    `pause_when_busy` is taken for a 429 that names none. No redirect is followed: a provider has one address.
    """
    try:
        answer = await client.post(url, follow_redirects=False, **request)
    except httpx.HTTPError as error:
        CALLS.labels(provider, "none").inc()
        raise TryLater(f"{provider} does not answer: {type(error).__name__}") from error
    CALLS.labels(provider, str(answer.status_code)).inc()
    if answer.status_code == 429:
        pause = retry_after(answer.headers, clock.now()) or pause_when_busy
        raise TryLater(f"{provider} is busy (429)", after=pause)
    if answer.status_code == 408 or answer.status_code >= 500:
        raise TryLater(f"{provider} failed ({answer.status_code})", after=retry_after(answer.headers, clock.now()))
    return answer


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Retry-After in seconds or as a date (RFC 9110, 10.2.3), at the most six hours; None for neither."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        pause = timedelta(seconds=min(int(value), 86_400))
    else:
        try:
            at = parsedate_to_datetime(value)
        except ValueError:
            return None
        pause = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    return min(max(pause, timedelta(0)), _LONGEST_PAUSE)


def json_of(answer: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer; empty for anything else (a proxy's error page)."""
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
