"""Signed links that switch one category's mail off without signing in. Pure."""

import base64
import hashlib
import hmac
from uuid import UUID

from notification_service.preferences.rules import Category


def unsubscribe_path(user_id: UUID, category: Category, secret: bytes) -> str:
    """The path of the link; it never expires, since a mail does not either."""
    return f"/v1/notifications/unsubscribe?token={_token(user_id, category, secret)}"


def read_token(token: str, secret: bytes) -> tuple[UUID, Category] | None:
    """Whom and what the token unsubscribes; None when we did not make it."""
    try:
        user, category, _ = token.split(".")
        user_id, chosen = UUID(user), Category(category)
    except ValueError:
        return None
    return (user_id, chosen) if hmac.compare_digest(token, _token(user_id, chosen, secret)) else None


def _token(user_id: UUID, category: Category, secret: bytes) -> str:
    said = f"{user_id.hex}.{category}"
    mac = hmac.digest(secret, said.encode(), hashlib.sha256)[:18]
    return f"{said}.{base64.urlsafe_b64encode(mac).decode()}"
