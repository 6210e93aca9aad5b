"""Find the signing keys: from settings, or in `local` a generated one that replicas and restarts share."""

import json
from typing import Any

from sqlalchemy import select, text

from auth_service.access.tables import SigningKey
from auth_service.access.tokens import generate_jwk
from auth_service.settings import Settings
from rihla.db import Database
from rihla.kernel import Clock

_LOCK = 7_421_101


async def load_signing_keys(settings: Settings, db: Database, clock: Clock) -> list[dict[str, Any]]:
    """Private JWKs, the signing one first. ValueError when the settings hold something else."""
    configured = settings.access_token_keys.get_secret_value()
    if configured:
        return _read(configured)
    async with db.transaction() as session:
        # Two replicas that start together must not sign with two keys.
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        rows = (await session.scalars(select(SigningKey).order_by(SigningKey.created_at.desc()))).all()
        if rows:
            return [row.private_jwk for row in rows]
        now = clock.now()
        key = generate_jwk(f"local-{int(now.timestamp())}")
        session.add(SigningKey(kid=key["kid"], private_jwk=key, created_at=now))
        return [key]


def _read(configured: str) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = json.loads(configured)["keys"]
    wanted = {"kid", "x", "y", "d"}
    if not keys or any(not wanted <= key.keys() or key.get("crv") != "P-256" for key in keys):
        raise ValueError("ACCESS_TOKEN_KEYS must be a JWKS of P-256 private keys, each with a kid")
    return keys
