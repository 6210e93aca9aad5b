"""Read and change one's own profile."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.bootstrap import Container
from auth_service.codes.ask import ask_for_code
from auth_service.people.find import account_of
from auth_service.people.identifiers import Identifier, normal_username
from auth_service.people.passports import passport_view, save_passport
from auth_service.people.rules import birth_date_problem
from auth_service.people.schemas import EmergencyContactView, Me, MeUpdate
from auth_service.people.tables import Account, Passport
from auth_service.people.tell import updated
from auth_service.problems import UsernameTaken
from auth_service.sessions.visitor import Visitor
from auth_service.two_factor import store as two_factor
from rihla.web import ValidationFailed

_PLAIN_FIELDS = frozenset(
    [
        "full_name",
        "gender",
        "date_of_birth",
        "nationality",
        "location",
        "photo_url",
        "locale",
        "currency",
        "theme",
        "customer_type",
        "dietary_needs",
        "assistance_needs",
        "notification_channels",
    ]
)

_TOLD_FIELDS = frozenset(["full_name", "locale", "currency"])
"""What other services keep a copy of."""


async def own_profile(c: Container, user_id: UUID) -> Me:
    """The signed-in person's data. Raises NotFound for a deleted account."""
    async with c.db.transaction() as session:
        return await _view(c, session, await account_of(session, user_id))


async def change_profile(c: Container, user_id: UUID, change: MeUpdate, visitor: Visitor) -> Me:
    """Change what was sent. A new address waits for its code.

    Raises UsernameTaken, TooManyCodes, ValidationFailed (date of birth, passport).
    """
    now = c.clock.now()
    _refuse_impossible(change, now)
    async with c.db.transaction() as session:
        account = await account_of(session, user_id, lock=True)
        for name in _PLAIN_FIELDS & change.model_fields_set:
            setattr(account, name, getattr(change, name))
        if "emergency_contact" in change.model_fields_set:
            contact = change.emergency_contact
            account.emergency_contact = contact.model_dump(mode="json") if contact else None
        if "passport" in change.model_fields_set:
            await save_passport(session, c.cipher, change.passport, account_id=user_id, holder_id=user_id, now=now)
        if "username" in change.model_fields_set:
            await _take_username(session, account, change.username)
        for identifier in _new_addresses(account, change):
            await _propose_address(c, session, account, identifier, visitor, now)
        account.updated_at = now
        await session.flush()
        if _TOLD_FIELDS & change.model_fields_set:
            await updated(session, account, now=now)
        return await _view(c, session, account)


def _refuse_impossible(change: MeUpdate, now: datetime) -> None:
    reason = birth_date_problem(change.date_of_birth, now.date()) if change.date_of_birth else None
    if reason:
        raise ValidationFailed({"pointer": "#/date_of_birth", "code": "date-of-birth", "message": reason})


async def _take_username(session: AsyncSession, account: Account, wanted: str | None) -> None:
    try:
        username = normal_username(wanted) if wanted is not None else None
    except ValueError as error:
        raise ValidationFailed({"pointer": "#/username", "code": "username", "message": str(error)}) from error
    try:
        async with session.begin_nested():
            account.username = username
    except IntegrityError as error:
        raise UsernameTaken("Choose another user name.") from error


def _new_addresses(account: Account, change: MeUpdate) -> list[Identifier]:
    wanted = []
    if "email" in change.model_fields_set and change.email and change.email != account.email:
        wanted.append(Identifier("email", change.email))
    if "phone" in change.model_fields_set and change.phone and change.phone != account.phone:
        wanted.append(Identifier("phone", change.phone))
    return wanted


async def _propose_address(
    c: Container, session: AsyncSession, account: Account, identifier: Identifier, visitor: Visitor, now: datetime
) -> None:
    setattr(account, f"pending_{identifier.kind}", identifier.value)
    await ask_for_code(
        session,
        purpose="change-email",
        identifier=identifier,
        locale=account.locale,
        client_ip=visitor.client_ip,
        now=now,
        policy=c.code_policy,
        account_id=account.id,
    )


async def username_is_free(c: Container, username: str) -> bool:
    """Whether nobody has this user name (in its normal form)."""
    async with c.db.transaction() as session:
        return await session.scalar(select(Account.id).where(Account.username == username)) is None


async def _view(c: Container, session: AsyncSession, account: Account) -> Me:
    device = await two_factor.totp_device(session, account.id)
    contact = account.emergency_contact
    return Me(
        id=account.id,
        status="active" if account.status == "active" else "suspended",
        roles=account.roles,
        full_name=account.full_name,
        email=account.email,
        phone=account.phone,
        pending_email=account.pending_email,
        pending_phone=account.pending_phone,
        username=account.username,
        gender=account.gender,
        date_of_birth=account.date_of_birth,
        nationality=account.nationality,
        location=account.location,
        photo_url=account.photo_url,
        locale=account.locale,
        currency=account.currency,
        theme=account.theme,
        customer_type=account.customer_type,
        dietary_needs=account.dietary_needs,
        assistance_needs=account.assistance_needs,
        emergency_contact=EmergencyContactView.model_validate(contact) if contact else None,
        notification_channels=account.notification_channels,
        passport=passport_view(c.cipher, await session.get(Passport, account.id)),
        two_factor=device is not None and device.confirmed_at is not None,
        has_password=account.password_hash is not None,
        created_at=account.created_at,
        updated_at=account.updated_at,
    )
