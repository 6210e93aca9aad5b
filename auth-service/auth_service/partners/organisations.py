"""Partner organisations, as administrators keep them."""

from uuid import UUID

from sqlalchemy import select

from auth_service.administration.audit import record
from auth_service.bootstrap import Container
from auth_service.partners.schemas import KeyLimitRequest, OrganisationView
from auth_service.partners.tables import ApiKey, Membership, Organisation
from auth_service.people.find import account_of
from auth_service.problems import NotFound
from auth_service.sessions.visitor import Visitor
from rihla.auth import Principal
from rihla.kernel import new_id
from rihla.web.idempotency import IdempotentRequest, Replay


async def add_organisation(
    c: Container, actor: Principal, name: str, visitor: Visitor, idem: IdempotentRequest
) -> OrganisationView | Replay:
    """A new organisation, once for each Idempotency-Key."""
    now = c.clock.now()
    async with c.db.transaction() as session:
        began = await idem.begin(session, resource_id=new_id(), now=now)
        if isinstance(began, Replay):
            return began
        row = Organisation(id=began.resource_id, name=name, created_at=now)
        session.add(row)
        await record(session, actor, "organisation.created", None, {"organisation_id": str(row.id)}, visitor, now)
        view = OrganisationView.model_validate(row)
        await idem.finish(session, status=201, body=view.model_dump_json().encode())
    return view


async def put_member(c: Container, actor: Principal, organisation_id: UUID, user_id: UUID, visitor: Visitor) -> None:
    """The person acts for this organisation from now on and has the role partner. Raises NotFound."""
    now = c.clock.now()
    async with c.db.transaction() as session:
        organisation = await session.get(Organisation, organisation_id)
        if organisation is None:
            raise NotFound("There is no such organisation.")
        account = await account_of(session, user_id, lock=True)
        member = await session.get(Membership, user_id, with_for_update=True)
        if member is None:
            session.add(Membership(account_id=user_id, organisation_id=organisation_id, joined_at=now))
        else:
            member.organisation_id = organisation_id
        if "partner" not in account.roles:
            account.roles = [*account.roles, "partner"]
        details = {"organisation_id": str(organisation_id)}
        await record(session, actor, "organisation.member_added", user_id, details, visitor, now)


async def limit_key(c: Container, actor: Principal, key_id: UUID, limit: KeyLimitRequest, visitor: Visitor) -> None:
    """Set what a key may ask for and keep unpaid, by the partner's contract. Raises NotFound."""
    now = c.clock.now()
    async with c.db.transaction() as session:
        row = await session.scalar(select(ApiKey).where(ApiKey.id == key_id).with_for_update())
        if row is None or not row.holds(now):
            raise NotFound("There is no such key.")
        details = {
            "api_key_id": str(key_id),
            "before": row.rate_limit_per_minute,
            "after": limit.rate_limit_per_minute,
            "unpaid_bookings_before": row.unpaid_bookings,
            "unpaid_bookings_after": limit.unpaid_bookings,
        }
        row.rate_limit_per_minute, row.unpaid_bookings = limit.rate_limit_per_minute, limit.unpaid_bookings
        await record(session, actor, "api_key.limit_changed", row.account_id, details, visitor, now)
