"""Structured logs, metrics and trace context.

Logs are JSON lines without personal data: a processor drops keys that would carry it, whoever logs them.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

__all__ = [
    "CONTENT_TYPE_LATEST",
    "Counter",
    "Gauge",
    "Histogram",
    "bind_request",
    "configure_logging",
    "generate_latest",
    "get_logger",
]

_NEVER_LOGGED = frozenset(
    {
        *("email", "phone", "password", "code", "token", "access_token", "refresh_token", "secret", "authorization"),
        *("card", "number", "cvc", "passport", "full_name", "given_name", "surname", "name", "address", "contact"),
        *("date_of_birth", "cookie", "identifier", "to", "recipient", "body"),
    }
)


def _drop_personal_data(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in event.keys() & _NEVER_LOGGED:
        event[key] = "[removed]"
    return event


def configure_logging(service: str, level: str = "INFO") -> None:
    """Send JSON lines to standard output, each with service, level, time and the request id that is bound."""
    logging.basicConfig(level=level, stream=sys.stdout, format="%(message)s", force=True)
    for noisy in ("httpx", "httpcore", "aio_pika", "aiormq", "asyncio", "uvicorn.access", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _drop_personal_data,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(service=service)


def get_logger(name: str) -> Any:
    """A structured logger: `log.info("hold_confirmed", hold_id=...)`."""
    return structlog.get_logger(component=name)


def bind_request(**values: str) -> None:
    """Bind values (request id, user id) to every log line of this task."""
    structlog.contextvars.bind_contextvars(**values)
