"""Put an order and its hold together into the booking that will be stored: pure, no I/O.

Money: flight-service prices by (passenger, segment, line); a promo discount is apportioned here over the fares of
(passenger, segment), so that every later refund is a sum of lines.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from booking_service.bookings.hold import HeldLine, Hold
from booking_service.bookings.sealed_passport import masked
from booking_service.bookings.states import BookingState, ChargeState, CouponState
from booking_service.bookings.view import (
    BookingView,
    ChargeView,
    CouponView,
    PassengerView,
    PriceLineView,
    SegmentView,
    SliceView,
)
from booking_service.placing.order import Order, Traveller
from booking_service.placing.rules import laps
from rihla.kernel import apportion, new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """What the first transaction fixed, so that any process can drive it to the end with the same ids."""

    booking_id: UUID
    reference: str
    hold_id: UUID
    user_id: UUID
    organisation_id: UUID | None
    test_mode: bool
    attempt: int
    created_at: datetime
    payment_required_by: datetime
    order: Order
    api_key_id: UUID | None = None
    unpaid_by_contract: int | None = None
    """How many a partner's key may keep unpaid at once, where its contract says so."""

    @property
    def holder(self) -> UUID:
        """Whose hold budget pays for it: a partner's key, else the person."""
        return self.api_key_id or self.user_id


PROMO, RIDES = ("PROMO", "Promo code"), ("RIDES", "Rides of your plan")


def discount_lines(hold: Hold, discount_minor: int, label: tuple[str, str] = PROMO) -> list[HeldLine]:
    """The discount as negative lines by (passenger, segment), in proportion to the fare there; never more than it is.

    A discount above all fares together is spread over everything that is to be paid.
    """
    discount = min(discount_minor, hold.total_minor)
    if discount <= 0:
        return []
    of_fares = [line for line in hold.price_lines if line.refund_class == "fare"]
    chosen = of_fares if discount <= sum(line.amount_minor for line in of_fares) else hold.price_lines
    sums: dict[tuple[UUID, UUID], int] = {}
    for line in chosen:
        key = (line.passenger_id, line.flight_id)
        sums[key] = sums.get(key, 0) + line.amount_minor
    keys = [key for key, amount in sums.items() if amount > 0]
    parts = apportion(discount, [sums[key] for key in keys])
    return [
        HeldLine(
            passenger_id=passenger_id,
            flight_id=flight_id,
            kind="discount",
            code=label[0],
            name=label[1],
            amount_minor=-part,
            refund_class="fare",
        )
        for (passenger_id, flight_id), part in zip(keys, parts, strict=True)
        if part
    ]


def compose(placing: Placing, hold: Hold, discount_minor: int) -> BookingView:
    """The booking as it stands once placed: `pending_payment`, its initial charge due (or paid, when there is nothing
    to pay).
    """
    slices = slices_of(hold, placing.hold_id)
    label = RIDES if placing.order.subscription_id else PROMO
    lines = [*hold.price_lines, *discount_lines(hold, discount_minor, label)]
    total = sum(line.amount_minor for line in lines)
    charge = ChargeView(
        id=new_id(),
        kind="initial",
        amount_minor=total,
        currency=hold.currency,
        state=ChargeState.DUE if total else ChargeState.PAID,
        payable_until=placing.payment_required_by,
        created_at=placing.created_at,
        paid_at=None if total else placing.created_at,
    )
    order = placing.order
    return BookingView(
        id=placing.booking_id,
        reference=placing.reference,
        user_id=placing.user_id,
        organisation_id=placing.organisation_id,
        state=BookingState.PENDING_PAYMENT,
        hold_id=placing.hold_id,
        offer_id=order.offer_id,
        payment_required_by=placing.payment_required_by,
        currency=hold.currency,
        total_minor=total,
        contact_email=order.contact_email,
        contact_phone=order.contact_phone,
        locale=order.locale,
        promo_code=order.promo_code,
        metadata=order.metadata,
        subscription_id=order.subscription_id,
        notes=hold.notes,
        version=1,
        sequence=1,
        test_mode=placing.test_mode,
        created_at=placing.created_at,
        slices=slices,
        passengers=_passengers(order.travellers, slices, hold),
        price_lines=price_lines_of(lines, slices, charge.id),
        charges=(charge,),
    )


def slices_of(hold: Hold, hold_id: UUID) -> tuple[SliceView, ...]:
    """The held segments grouped into slices, with ids of their own."""
    indexes = sorted({segment.slice_index for segment in hold.segments})
    return tuple(_slice(hold, hold_id, index) for index in indexes)


def _slice(hold: Hold, hold_id: UUID, index: int) -> SliceView:
    slice_id = new_id()
    held = sorted((one for one in hold.segments if one.slice_index == index), key=lambda one: one.segment_index)
    segments = tuple(
        SegmentView(
            id=new_id(),
            flight_id=one.flight_id,
            slice_id=slice_id,
            slice_index=index,
            segment_index=one.segment_index,
            flight_number=one.flight_number,
            airline=one.airline,
            airline_name=one.airline_name,
            accounting_code=one.accounting_code,
            aircraft=one.aircraft,
            origin=one.origin,
            destination=one.destination,
            departure_at=one.departure_at,
            arrival_at=one.arrival_at,
            duration_minutes=one.duration_minutes,
            terminal=one.terminal,
            gate=one.gate,
            status=one.status,
            cabin=one.cabin,
            fare_brand=one.fare_brand,
            fare_class=one.fare_class,
            international=one.international,
            baggage=one.baggage,
        )
        for one in held
    )
    return SliceView(id=slice_id, slice_index=index, hold_id=hold_id, fare_rules=hold.fare_rules, segments=segments)


def _passengers(
    travellers: tuple[Traveller, ...], slices: tuple[SliceView, ...], hold: Hold
) -> tuple[PassengerView, ...]:
    seats = {(seat.passenger_id, seat.flight_id): seat.designator for seat in hold.seats}
    with_whom = laps(travellers)
    return tuple(
        PassengerView(
            id=one.id,
            position=index,
            type=one.type,
            title=one.title,
            given_name=one.given_name,
            surname=one.surname,
            date_of_birth=one.date_of_birth,
            gender=one.gender,
            passport_masked=masked(one.passport.number) if one.passport else None,
            passport_sealed=one.passport.sealed if one.passport else None,
            passport_issuing_country=one.passport.issuing_country if one.passport else None,
            passport_nationality=one.passport.nationality if one.passport else None,
            passport_expires_on=one.passport.expires_on if one.passport else None,
            visas=one.visas,
            email=one.email,
            phone=one.phone,
            seat_preference=one.seat_preference,
            ssr=one.ssr,
            extra_bags=one.extra_bags,
            accompanied_by=travellers[with_whom[index]].id if index in with_whom else None,
            e_ticket_number=None,
            coupons=coupons_of(one.id, slices, seats),
        )
        for index, one in enumerate(travellers)
    )


def coupons_of(
    passenger_id: UUID, slices: tuple[SliceView, ...], seats: dict[tuple[UUID, UUID], str]
) -> tuple[CouponView, ...]:
    """One open coupon for each segment, with the seat where one is known."""
    return tuple(
        CouponView(
            id=new_id(),
            passenger_id=passenger_id,
            segment_id=segment.id,
            slice_id=segment.slice_id,
            flight_id=segment.flight_id,
            state=CouponState.OPEN,
            seat=seats.get((passenger_id, segment.flight_id)),
        )
        for one in slices
        for segment in one.segments
    )


def price_lines_of(lines: list[HeldLine], slices: tuple[SliceView, ...], charge_id: UUID) -> tuple[PriceLineView, ...]:
    """The lines as they are stored: under their charge, each at its segment."""
    segment_of = {segment.flight_id: segment.id for one in slices for segment in one.segments}
    return tuple(
        PriceLineView(
            id=new_id(),
            charge_id=charge_id,
            passenger_id=line.passenger_id,
            segment_id=segment_of[line.flight_id],
            flight_id=line.flight_id,
            kind=line.kind,
            code=line.code,
            name=line.name,
            amount_minor=line.amount_minor,
            refund_class=line.refund_class,
        )
        for line in lines
    )
