"""The kinds of notice: what each is about, what its mail shows, what it waits for. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

from notification_service.preferences.rules import Category

Block = Literal["flights", "passengers", "total", "refund", "flight", "device"]


@dataclass(frozen=True, slots=True)
class Kind:
    """`waits_for` is the cause of the documents the mail attaches; `document_kinds` are the papers it takes of them.

    `urgent` travel news ring in quiet hours too. `mail` is false for a notice that is only pushed and shown in the app.
    """

    category: Category
    blocks: tuple[Block, ...] = ()
    urgent: bool = False
    waits_for: str | None = None
    document_kinds: tuple[str, ...] = ()
    link: Literal["booking", "account", "search", "support"] = "booking"
    mail: bool = True
    show_qr: bool = False


KINDS: Final[dict[str, Kind]] = {
    "booking_confirmed": Kind(
        Category.BOOKING,
        ("flights", "passengers", "total"),
        waits_for="confirmed",
        document_kinds=("ticket", "receipt"),
        show_qr=True,
    ),
    "booking_expired": Kind(Category.BOOKING, ("flights",)),
    "booking_cancelled": Kind(Category.BOOKING, ("flights", "refund")),
    "booking_cancelled_refund": Kind(
        Category.BOOKING, ("flights", "refund"), waits_for="cancelled", document_kinds=("refund_receipt", "ticket")
    ),
    "booking_changed": Kind(
        Category.BOOKING,
        ("flights", "passengers", "total"),
        waits_for="changed",
        document_kinds=("ticket", "receipt"),
    ),
    "booking_disrupted": Kind(Category.TRAVEL, ("flight", "flights"), urgent=True),
    "boarding_passes": Kind(
        Category.BOOKING, ("flights", "passengers"), waits_for="checked_in", document_kinds=("boarding_pass",)
    ),
    "payment_failed": Kind(Category.BOOKING),
    "payment_received": Kind(Category.BOOKING, link="account"),
    "refund_sent": Kind(Category.BOOKING),
    "refund_delayed": Kind(Category.BOOKING),
    "flight_delayed": Kind(Category.TRAVEL, ("flight",), urgent=True),
    "flight_retimed": Kind(Category.TRAVEL, ("flight",), urgent=True),
    "gate_changed": Kind(Category.TRAVEL, ("flight",), urgent=True),
    "price_alert": Kind(Category.OFFER, link="search"),
    "welcome": Kind(Category.ACCOUNT, link="search"),
    "security_new_device": Kind(Category.ACCOUNT, ("device",), link="account"),
    "security_password_changed": Kind(Category.ACCOUNT, ("device",), link="account"),
    "security_password_reset": Kind(Category.ACCOUNT, ("device",), link="account"),
    "security_refresh_token_reused": Kind(Category.ACCOUNT, ("device",), link="account"),
    "security_two_factor_enabled": Kind(Category.ACCOUNT, ("device",), link="account"),
    "security_two_factor_disabled": Kind(Category.ACCOUNT, ("device",), link="account"),
    "security_email_changed": Kind(Category.ACCOUNT, ("device",), link="account"),
    "security_phone_changed": Kind(Category.ACCOUNT, ("device",), link="account"),
    "security_profile_changed": Kind(Category.ACCOUNT, ("device",), link="account"),
    "security_api_key_created": Kind(Category.ACCOUNT, ("device",), link="account"),
    "webhook_endpoint_disabled": Kind(Category.ACCOUNT, link="account"),
    "chat_message": Kind(Category.SUPPORT, link="support"),
    "ticket_answered": Kind(Category.SUPPORT, link="support"),
    "reminder_payment": Kind(Category.REMINDER, ("flights", "total")),
    "reminder_passport": Kind(Category.REMINDER, ("flights",)),
    "reminder_visa": Kind(Category.REMINDER, ("flights",)),
    "reminder_unfinished": Kind(Category.OFFER, ("flights",), link="search"),
    "reminder_check_in_open": Kind(Category.REMINDER, ("flight",)),
    "reminder_check_in_day": Kind(Category.REMINDER, ("flight",)),
    "reminder_departure": Kind(Category.REMINDER, ("flight",), urgent=True, mail=False),
}

LANGUAGES: Final = ("en", "ar", "bn", "ur")
RIGHT_TO_LEFT: Final = frozenset({"ar", "ur"})


def language_of(locale: str) -> str:
    """The catalogue for a BCP 47 tag: its language when we have it, else English."""
    language = locale.replace("_", "-").split("-", 1)[0].lower()
    return language if language in LANGUAGES else "en"
