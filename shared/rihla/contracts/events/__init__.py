"""The event catalogue: what has happened, as every service may hear it."""

from rihla.contracts.events.auth import (
    SessionEndedV1,
    UserDeletedV1,
    UserRegisteredV1,
    UserSecurityNoticeV1,
    UserSuspendedV1,
    UserUpdatedV1,
)
from rihla.contracts.events.booking import (
    BookingCancelledV1,
    BookingChangedV1,
    BookingCheckedInV1,
    BookingCompletedV1,
    BookingConfirmedV1,
    BookingCreatedV1,
    BookingDisruptedV1,
    BookingDocumentsReadyV1,
    BookingExpiredV1,
)
from rihla.contracts.events.chat import ChatMessageMissedV1, TicketAnsweredV1
from rihla.contracts.events.envelope import Envelope, EventData, catalogue
from rihla.contracts.events.flight import (
    FlightCancelledV1,
    FlightDelayedV1,
    FlightDepartedV1,
    FlightGateChangedV1,
    FlightRetimedV1,
    PriceAlertTriggeredV1,
)
from rihla.contracts.events.payment import (
    PaymentFailedV1,
    PaymentSucceededV1,
    RefundFailedV1,
    RefundSucceededV1,
)

__all__ = [
    "BookingCancelledV1",
    "BookingChangedV1",
    "BookingCheckedInV1",
    "BookingCompletedV1",
    "BookingConfirmedV1",
    "BookingCreatedV1",
    "BookingDisruptedV1",
    "BookingDocumentsReadyV1",
    "BookingExpiredV1",
    "ChatMessageMissedV1",
    "Envelope",
    "EventData",
    "FlightCancelledV1",
    "FlightDelayedV1",
    "FlightDepartedV1",
    "FlightGateChangedV1",
    "FlightRetimedV1",
    "PaymentFailedV1",
    "PaymentSucceededV1",
    "PriceAlertTriggeredV1",
    "RefundFailedV1",
    "RefundSucceededV1",
    "SessionEndedV1",
    "TicketAnsweredV1",
    "UserDeletedV1",
    "UserRegisteredV1",
    "UserSecurityNoticeV1",
    "UserSuspendedV1",
    "UserUpdatedV1",
    "catalogue",
]
