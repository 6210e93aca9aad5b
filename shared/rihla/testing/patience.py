"""Time limits that a platform needs and a test must not meet by chance.

On a machine that does ten things at once an answer may take half a minute and still be right. Tests about a limit set
their own; a server that is away refuses at once and needs no limit.
"""

from urllib.parse import urlencode

import hypothesis

from rihla.db import database
from rihla.http import ServiceClient
from rihla.messaging import broker, relay
from rihla.web import health

_MINUTE = 60


def be_patient() -> None:
    """For this process and for as long as it lives."""
    database._WAIT_SECONDS = database._COMMAND_SECONDS = database._CHECK_SECONDS = _MINUTE
    _default(database.Database, statement_timeout_ms=_MINUTE * 1000, lock_timeout_ms=_MINUTE * 1000)
    _default(ServiceClient, timeout=float(_MINUTE))
    broker._CONNECT_SECONDS = broker._CHECK_SECONDS = _MINUTE
    relay._CONFIRM_SECONDS = float(_MINUTE)
    health._PATIENCE = float(_MINUTE)


def _default(kind: type, **values: float) -> None:
    """Other defaults for keywords of the constructor."""
    given = kind.__init__.__kwdefaults__  # type: ignore[misc]
    assert values.keys() <= given.keys(), f"{kind.__name__} has other keywords now"
    given.update(values)


def patient_redis(url: str) -> str:
    """The address with limits of its own: they win over those the code asks for."""
    limits = {"socket_timeout": _MINUTE, "socket_connect_timeout": _MINUTE}
    return f"{url}{'&' if '?' in url else '?'}{urlencode(limits)}"


def always_the_same_examples() -> None:
    """Hypothesis draws what it drew before, and no example is too slow."""
    every = list(hypothesis.HealthCheck)
    hypothesis.settings.register_profile(
        "steady", derandomize=True, deadline=None, database=None, suppress_health_check=every
    )
    hypothesis.settings.load_profile("steady")
