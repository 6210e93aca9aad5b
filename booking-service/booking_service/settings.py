"""Settings of booking-service; each is an environment variable of the same name in capitals."""

from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from booking_service.documents.settings import DocumentSettings
from booking_service.placing.hold_budget import HoldBudget
from booking_service.seat_plans.settings import SeatPlanSettings


class Settings(DocumentSettings, SeatPlanSettings):
    """The payment window, the clocks of the sweepers, and the airline's rules that an operator may move."""

    service: ClassVar[str] = "booking"

    db_pool_size: int = Field(
        default=10, ge=5, le=200, description="Database connections; the placing desk keeps three of the bare driver's"
    )
    payment_window_minutes: float = Field(default=15, gt=0, le=120, description="From placing to `payment_required_by`")
    hold_grace_seconds: int = Field(default=120, ge=0, le=600, description="A hold outlives the payment window by this")
    placing_lease_seconds: float = Field(
        default=15, gt=0, le=300, description="How long one process may drive a placing"
    )
    placing_patience_seconds: float = Field(default=90, ge=0, description="A stalled placing is driven on this long")
    sweep_every_seconds: float = Field(default=0.5, gt=0, le=60, description="Pause of a sweeper that found nothing")
    flight_timeout_seconds: float = Field(default=3.0, gt=0, le=30)
    payment_timeout_seconds: float = Field(default=3.0, gt=0, le=30)
    auth_timeout_seconds: float = Field(default=2.0, gt=0, le=30, description="Asked for a companion who is picked")
    quote_minutes: int = Field(default=10, ge=1, le=60, description="How long a cancellation or change quote stands")
    check_in_opens_hours: int = Field(default=48, ge=1, le=336)
    check_in_closes_minutes: int = Field(default=60, ge=0, le=600)
    retimed_minutes: int = Field(default=30, ge=0, description="A departure moved by more than this disrupts")
    delayed_minutes: int = Field(default=180, ge=0, description="A delay of more than this disrupts")
    answer_hours_before: int = Field(default=4, ge=0, description="An unanswered disruption is refunded then")
    answer_hours_at_most: int = Field(default=72, ge=1, description="... or this long after the notice")
    lookup_failures: int = Field(default=10, ge=1, description="Wrong guesses in the window, for each caller")
    lookup_failures_per_reference: int = Field(
        default=30, ge=1, description="Wrong guesses in the window, for each reference"
    )
    lookup_window_minutes: int = Field(default=15, ge=1, le=1440)

    unpaid_bookings_per_traveller: int = Field(
        default=3, ge=1, le=10_000, description="Unpaid bookings one person may keep at once"
    )
    unpaid_bookings_per_key: int = Field(
        default=100, ge=1, le=10_000, description="Unpaid bookings one partner key may keep at once"
    )
    lapsed_window_minutes: int = Field(
        default=60, ge=1, le=1440, description="Unpaid bookings that ended this long ago still count"
    )
    lapsed_wait_minutes: int = Field(
        default=5, ge=0, le=1440, description="The first wait when more lapsed than may be kept; it doubles"
    )

    @property
    def payment_window(self) -> timedelta:
        return timedelta(minutes=self.payment_window_minutes)

    @property
    def hold_grace(self) -> timedelta:
        return timedelta(seconds=self.hold_grace_seconds)

    @property
    def placing_lease(self) -> timedelta:
        return timedelta(seconds=self.placing_lease_seconds)

    def hold_budget(self, *, partner: bool) -> HoldBudget:
        """What a person, or a partner's key, may keep unpaid."""
        return HoldBudget(
            at_once=self.unpaid_bookings_per_key if partner else self.unpaid_bookings_per_traveller,
            window=timedelta(minutes=self.lapsed_window_minutes),
            first_wait=timedelta(minutes=self.lapsed_wait_minutes),
        )
