"""Register: store what was typed beside a request for a code. Alike for new addresses and for known ones."""

from typing import Any

from auth_service.bootstrap import Container
from auth_service.codes.ask import Asked, ask_for_code
from auth_service.passwords.check import refuse_weak_password
from auth_service.people.identifiers import Identifier
from auth_service.registration.store import waiting_registration
from auth_service.registration.tables import Registration
from auth_service.sessions.visitor import Visitor
from rihla.kernel import new_id

_SIGN_UP_FIELDS = [
    "full_name",
    "locale",
    "currency",
    "gender",
    "date_of_birth",
    "nationality",
    "location",
    "photo_url",
    "customer_type",
    "email",
    "phone",
]


async def register(
    c: Container, identifier: Identifier, password: str, details: dict[str, Any], visitor: Visitor
) -> Asked:
    """A request for a code; the account is made by `verify`.

    Whether an account exists is never looked at here, so neither answer nor time can tell: the sender decides later
    between a code and a note to the owner. Within a minute of an unused request the first one stands, and only who
    knows its password learns its id. Raises TooManyCodes, TooBusy, ValidationFailed (password).
    """
    refuse_weak_password(password, own_words=(identifier.value, str(details["full_name"])))
    now = c.clock.now()
    async with c.db.transaction() as session:
        waiting_id, waiting_hash = await waiting_registration(session, identifier.value)
    password_hash = await c.passwords.hash(password)
    same_person = waiting_hash is not None and await c.passwords.verify(password, waiting_hash)
    async with c.db.transaction() as session:
        asked = await ask_for_code(
            session,
            purpose="verify",
            identifier=identifier,
            locale=str(details["locale"]),
            client_ip=visitor.client_ip,
            now=now,
            policy=c.code_policy,
        )
        if asked.fresh:
            session.add(
                Registration(
                    request_id=asked.request_id,
                    password_hash=password_hash,
                    details={name: details.get(name) for name in _SIGN_UP_FIELDS},
                    created_at=now,
                )
            )
            return asked
    return (
        asked
        if same_person and waiting_id == asked.request_id
        else Asked(new_id(), asked.channel, asked.expires_at, asked.resend_at, fresh=False)
    )
