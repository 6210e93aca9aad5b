"""Passports at rest: the number is encrypted for its holder."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.people.encryption import DataCipher, masked
from auth_service.people.rules import passport_problem
from auth_service.people.schemas import PassportRequest, PassportView, VisaView
from auth_service.people.tables import Passport
from rihla.web import ValidationFailed

PASSPORT_NUMBER = "passport-number"


async def save_passport(
    session: AsyncSession,
    cipher: DataCipher,
    passport: PassportRequest | None,
    *,
    account_id: UUID,
    holder_id: UUID,
    now: datetime,
) -> None:
    """Store, replace or (None) remove the holder's passport. Raises ValidationFailed for one that has expired."""
    if passport is None:
        await session.execute(delete(Passport).where(Passport.holder_id == holder_id))
        return
    refuse_expired(passport.expires_on, now.date())
    row = await session.get(Passport, holder_id) or Passport(holder_id=holder_id, account_id=account_id)
    row.number_encrypted = cipher.encrypt(passport.number, what=PASSPORT_NUMBER, owner=holder_id)
    row.issuing_country = passport.issuing_country
    row.nationality = passport.nationality
    row.expires_on = passport.expires_on
    row.visas = [visa.model_dump(mode="json") for visa in passport.visas]
    row.updated_at = now
    session.add(row)
    await session.flush()


def refuse_expired(expires_on: date, today: date) -> None:
    """Raise ValidationFailed for a passport that is of no use any more."""
    reason = passport_problem(expires_on=expires_on, today=today)
    if reason is not None:
        raise ValidationFailed({"pointer": "#/passport/expires_on", "code": "passport-expired", "message": reason})


def passport_view(cipher: DataCipher, row: Passport | None, *, hidden: bool = False) -> PassportView | None:
    """What its owner sees; `hidden` in lists."""
    if row is None:
        return None
    number = cipher.decrypt(row.number_encrypted, what=PASSPORT_NUMBER, owner=row.holder_id)
    return PassportView(
        number=masked(number) if hidden else number,
        issuing_country=row.issuing_country,
        nationality=row.nationality,
        expires_on=row.expires_on,
        visas=[VisaView.model_validate(visa) for visa in row.visas],
    )
