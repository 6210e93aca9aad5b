"""A plan as it stands, for whoever asks."""

from uuid import UUID

from booking_service.bootstrap import Container
from booking_service.seat_plans import store
from booking_service.seat_plans.errors import SeatPlanUnknown
from booking_service.seat_plans.plan import SHOWN
from booking_service.seat_plans.schemas import SeatPlanView


async def read_plan(c: Container, plan_id: UUID) -> SeatPlanView:
    """The plan with its bookings. SeatPlanUnknown when nothing was ever reserved under this id."""
    async with c.db.transaction() as session:
        row = await store.read(session, plan_id)
        bookings = await store.shown_bookings(session, plan_id)
    if row is None or row.state not in SHOWN:
        raise SeatPlanUnknown("No seats are reserved under this id.")
    return SeatPlanView.model_validate(
        {
            "id": row.id,
            "status": SHOWN[row.state],
            "expires_at": row.plan.expires_at if row.plan else None,
            "bookings": bookings,
        }
    )
