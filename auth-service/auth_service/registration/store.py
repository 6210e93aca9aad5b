"""Every query on registrations."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.codes.tables import CodeRequest
from auth_service.registration.tables import Registration


async def waiting_registration(session: AsyncSession, identifier: str) -> tuple[UUID | None, str | None]:
    """Id of the address's newest sign-up request, and the password hash typed with it while it waits.

    One statement whatever there is, so that its time tells nothing.
    """
    query = (
        select(CodeRequest.id, Registration.password_hash)
        .outerjoin(Registration, Registration.request_id == CodeRequest.id)
        .where(CodeRequest.identifier == identifier, CodeRequest.purpose == "verify")
        .order_by(CodeRequest.created_at.desc(), CodeRequest.id.desc())
        .limit(1)
    )
    row = (await session.execute(query)).first()
    return (row[0], row[1]) if row else (None, None)
