"""Every table of this service, for migrations and for the tests that compare them."""

import auth_service.access.tables
import auth_service.administration.tables
import auth_service.codes.tables
import auth_service.oidc.tables
import auth_service.partners.tables
import auth_service.people.tables
import auth_service.registration.tables
import auth_service.sessions.tables
import auth_service.two_factor.tables  # noqa: F401
from auth_service.base import Base
from rihla.db.idempotency import idempotency_table
from rihla.db.outbox import outbox_table

metadata = Base.metadata

outbox = outbox_table(metadata)
idempotency_key = idempotency_table(metadata)
