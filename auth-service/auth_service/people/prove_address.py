"""Prove a new address of one's own account with the code that came to it."""

import contextlib
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from auth_service.bootstrap import Container
from auth_service.codes.redeem import redeem_code
from auth_service.people.find import account_of
from auth_service.people.identifiers import Identifier
from auth_service.people.tell import notice, updated
from auth_service.problems import InvalidCode
from auth_service.sessions.visitor import Visitor


async def prove_address(c: Container, user_id: UUID, identifier: Identifier, code: str, visitor: Visitor) -> None:
    """The address becomes the account's own; the notice goes to the old one. Raises InvalidCode."""
    now = c.clock.now()
    proven = False
    kind = f"{identifier.kind}_changed"
    async with c.db.transaction() as session:
        account = await account_of(session, user_id, lock=True)
        request = await redeem_code(
            session,
            purpose="change-email",
            identifier=identifier.value,
            code=code,
            now=now,
            policy=c.code_policy,
            secret=c.code_secret,
        )
        if request is not None and request.account_id == user_id:
            # Somebody else may have proved the address first: then neither change nor notice remains.
            with contextlib.suppress(IntegrityError):
                async with session.begin_nested():
                    await notice(session, account, kind, now=now, client_ip=visitor.client_ip, device=visitor.device)
                    setattr(account, identifier.kind, identifier.value)
                    setattr(account, f"pending_{identifier.kind}", None)
                    account.updated_at = now
                    await session.flush()
                    await updated(session, account, now=now)
                proven = True
    if not proven:
        raise InvalidCode("The code is wrong, was used, or has expired. Ask for a new one.")
