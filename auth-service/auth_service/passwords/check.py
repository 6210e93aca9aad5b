"""Refuse a password that is too weak, as the problem document wants it."""

from auth_service.passwords.rules import breached_passwords, password_problem
from rihla.web import ValidationFailed


def refuse_weak_password(password: str, *, own_words: tuple[str, ...], field: str = "password") -> None:
    """Raise ValidationFailed with the reason; nothing when the password will do."""
    reason = password_problem(password, breached=breached_passwords(), own_words=own_words)
    if reason is not None:
        raise ValidationFailed({"pointer": f"#/{field}", "code": "password-refused", "message": reason})
