"""A traveller asks what a code would take off."""

from uuid import UUID

from payment_service.promos import store
from payment_service.promos.errors import PromoCodeNotFound, PromoCodeUsedUp
from payment_service.promos.rules import Trip, discount, free_slot
from payment_service.promos.schemas import CheckPromo, PromoCheckOut
from rihla.db import Database
from rihla.kernel import Clock
from rihla.web import MoneyModel


async def check_code(db: Database, clock: Clock, code: str, body: CheckPromo, user_id: UUID | None) -> PromoCheckOut:
    """The discount for this total; what depends on the person is tested only when somebody is signed in.

    Raises PromoCodeNotFound, PromoCodeNotApplicable, PromoCodeUsedUp.
    """
    total = body.total.money()
    async with db.transaction() as session:
        row = await store.by_code(session, code)
        if row is None or not row.active:
            raise PromoCodeNotFound("There is no such promo code.")
        first, taken = None, set[int]()
        if user_id is not None:
            first = not await store.has_paid_before(session, user_id)
            taken = await store.slots_of(session, row.id, user_id)
    trip = Trip(
        total.currency,
        total.amount_minor,
        tuple(body.route),
        tuple(body.airlines),
        body.cabin,
        body.departure_date,
        first,
    )
    amount = discount(store.promo_of(row), trip, clock.now())
    full = row.total_limit is not None and row.used_count >= row.total_limit
    if full or (row.per_user_limit is not None and free_slot(taken, row.per_user_limit) is None):
        raise PromoCodeUsedUp("This promo code is used up.")
    return PromoCheckOut(
        code=row.code,
        title=row.title,
        discount=MoneyModel.of(amount, total.currency),
        total=MoneyModel.of(total.amount_minor - amount, total.currency),
    )
