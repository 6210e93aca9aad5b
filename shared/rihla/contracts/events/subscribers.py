"""Which service hears which event.

A relay declares these queues and bindings before it publishes, so that an event told before its consumer ever started
waits for it instead of being dropped. `tests/contract` checks that every consumer's bindings stand here.
"""

from collections.abc import Mapping

_EVERY_BOOKING = (
    "created",
    "confirmed",
    "expired",
    "cancelled",
    "changed",
    "disrupted",
    "checked_in",
    "completed",
    "documents_ready",
)

SUBSCRIBERS: Mapping[str, tuple[str, ...]] = {
    **{f"booking.{past}.v1": ("notification",) for past in _EVERY_BOOKING},
    "payment.succeeded.v1": ("booking", "notification"),
    "payment.failed.v1": ("booking", "notification"),
    "refund.succeeded.v1": ("booking", "notification"),
    "refund.failed.v1": ("booking", "notification"),
    "flight.delayed.v1": ("booking", "notification"),
    "flight.gate_changed.v1": ("booking", "notification"),
    "flight.cancelled.v1": ("booking", "notification"),
    "flight.retimed.v1": ("booking", "notification"),
    "flight.departed.v1": ("booking", "notification"),
    "price_alert.triggered.v1": ("notification",),
    "chat.message_missed.v1": ("notification",),
    "ticket.answered.v1": ("notification",),
    "session.ended.v1": ("notification",),
    "user.registered.v1": ("notification", "payment"),
    "user.updated.v1": ("notification",),
    "user.suspended.v1": ("chat", "notification"),
    "user.deleted.v1": ("booking", "chat", "notification", "payment"),
    "user.security_notice.v1": ("notification",),
}
