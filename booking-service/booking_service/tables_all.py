"""All tables of the service on one metadata: what migrations and schema checks read."""

from booking_service.bookings import tables as bookings
from booking_service.cancelling import tables as cancelling
from booking_service.changing import tables as changing
from booking_service.check_in import tables as check_in
from booking_service.disruptions import tables as disruptions
from booking_service.documents import tables as documents
from booking_service.forgetting import tables as forgetting
from booking_service.seat_plans import tables as seat_plans
from booking_service.tables_base import metadata

__all__ = [
    "bookings",
    "cancelling",
    "changing",
    "check_in",
    "disruptions",
    "documents",
    "forgetting",
    "metadata",
    "seat_plans",
]
