"""`python -m auth_service.seed`: the first administrator (and a support person) from settings. May be repeated."""

import asyncio

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from auth_service.bootstrap import open_database
from auth_service.passwords.check import refuse_weak_password
from auth_service.passwords.hashing import Passwords
from auth_service.people.identifiers import normal_email
from auth_service.people.tables import Account
from auth_service.people.tell import tell
from auth_service.settings import Settings
from rihla.contracts.events import UserRegisteredV1
from rihla.db import Database
from rihla.kernel import Clock, SystemClock, new_id


async def seed(settings: Settings, clock: Clock) -> None:
    """Make the accounts that settings name and that do not exist; existing ones are left as they are."""
    wanted = (
        (settings.admin_email, settings.admin_password.get_secret_value(), "admin", "Administrator"),
        (settings.support_email, settings.support_password.get_secret_value(), "support", "Support"),
    )
    passwords = Passwords(threads=1, queue=10)
    async with open_database(settings) as db:
        for email, password, role, name in wanted:
            if email and password:
                await _ensure(db, passwords, clock, normal_email(email), password, role, name)
    passwords.close()


async def _ensure(
    db: Database, passwords: Passwords, clock: Clock, email: str, password: str, role: str, name: str
) -> None:
    async with db.transaction() as session:
        if await session.scalar(select(Account.id).where(Account.email == email)):
            return
    refuse_weak_password(password, own_words=(email,))
    password_hash = await passwords.hash(password)
    now = clock.now()
    async with db.transaction() as session:
        row = insert(Account).values(
            id=new_id(),
            email=email,
            password_hash=password_hash,
            password_changed_at=now,
            roles=["traveller", role],
            full_name=name,
            created_at=now,
            updated_at=now,
        )
        # Two seeds that start together make one account.
        made = await session.scalar(row.on_conflict_do_nothing(index_elements=["email"]).returning(Account.id))
        if made is not None:
            event = UserRegisteredV1(user_id=made, email=email, full_name=name, registered_at=now)
            await tell(session, event, user_id=made, now=now)


def main() -> None:
    """Read the settings and seed."""
    asyncio.run(seed(Settings(), SystemClock()))


if __name__ == "__main__":
    main()
