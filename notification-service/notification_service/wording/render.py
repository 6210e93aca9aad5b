"""From a kind of notice and its facts to subject, short line, HTML and plain text in one language."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from notification_service.wording.cards import cards_of
from notification_service.wording.catalogue import Catalogue, catalogue
from notification_service.wording.formats import country_in, day_in, local_time_in, money_in, place_name, utc_time_in
from notification_service.wording.kinds import KINDS, language_of
from notification_service.wording.message import Rendered

QR_CONTENT_ID = "booking-qr"
_NAMES: Final = (
    *("reference", "amount", "refund", "flight_number", "origin", "destination", "departs"),
    *("delay", "gate", "terminal", "answer_by", "pay_by", "name", "expires", "visa_expires", "country"),
    *("number", "topic", "answer", "host"),
)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("notification_service.wording", "templates"),
        autoescape=lambda name: bool(name and name.endswith(".html.j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Templates change with a release, never under a running process: no look at their files for each mail.
        auto_reload=False,
    )


def values_of(language: str, facts: Mapping[str, Any]) -> dict[str, str]:
    """Every value a sentence may name, as text of the language; what the facts do not say is a dash."""
    values = dict.fromkeys(_NAMES, "-")
    for name in ("reference", "flight_number", "gate", "terminal", "number", "topic", "answer", "host"):
        if facts.get(name):
            values[name] = str(facts[name])
    for name in ("origin", "destination"):
        if facts.get(name):
            values[name] = place_name(facts[name])
    for name, source in (("amount", "amount_minor"), ("amount", "price_minor"), ("refund", "refund_minor")):
        if facts.get(source) is not None:
            values[name] = money_in(language, facts[source], facts["currency"])
    if facts.get("departure_at"):
        values["departs"] = local_time_in(language, datetime.fromisoformat(facts["departure_at"]))
    for name, source in (("answer_by", "answer_by"), ("pay_by", "payment_required_by")):
        if facts.get(source):
            values[name] = utc_time_in(language, datetime.fromisoformat(facts[source]))
    if facts.get("passport_expires_on"):
        values["expires"] = day_in(language, date.fromisoformat(facts["passport_expires_on"]))
    if facts.get("visa_expires_on"):
        values["visa_expires"] = day_in(language, date.fromisoformat(facts["visa_expires_on"]))
    if facts.get("country"):
        values["country"] = country_in(language, facts["country"])
    if facts.get("delay_minutes"):
        values["delay"] = str(facts["delay_minutes"])
    if facts.get("full_name"):
        values["name"] = facts["full_name"]
    return values


def render(
    kind: str,
    facts: Mapping[str, Any],
    locale: str,
    *,
    link: str,
    attached: Sequence[str] = (),
    documents_link: str | None = None,
    unsubscribe_link: str | None = None,
    show_qr: bool = False,
) -> Rendered:
    """Render a notice. `documents_link` is shown instead of attachments that were not ready. KeyError: unknown kind."""
    what = KINDS[kind]
    words = catalogue(language_of(locale))
    values = values_of(words.language, facts)
    subject = words.text(kind, "subject", **values)
    context: dict[str, Any] = {
        "words": words,
        "subject": subject,
        "body": words.text(kind, "body", **values),
        "reference": facts.get("reference"),
        "cards": cards_of(words, what.blocks, facts),
        "link": link,
        "button": words.label(f"open_{what.link}"),
        "attached": words.label("attached", names=", ".join(attached)) if attached else None,
        "documents_later": words.label("documents_later", link=documents_link) if documents_link else None,
        "unsubscribe_link": unsubscribe_link,
        "qr": QR_CONTENT_ID if show_qr else None,
    }
    return Rendered(
        subject=_one_line(subject),
        short=words.text(kind, "short", **values),
        html=_environment().get_template("notice.html.j2").render(context),
        text=_environment().get_template("notice.txt.j2").render(context),
    )


def short_text(kind: str, facts: Mapping[str, Any], locale: str) -> tuple[str, str]:
    """Title and one sentence for the app; KeyError for an unknown kind."""
    words: Catalogue = catalogue(language_of(locale))
    values = values_of(words.language, facts)
    return words.text(kind, "subject", **values), words.text(kind, "short", **values)


def render_code(
    purpose: str, locale: str, *, code: str | None, expires_at: datetime, client_ip: str | None
) -> Rendered:
    """The mail and the SMS of a one-time code. KeyError for a purpose the catalogue lacks."""
    words = catalogue(language_of(locale))
    section = f"code.{purpose}"
    shown = code or "-"
    expires = utc_time_in(words.language, expires_at)
    origin = client_ip or "-"
    subject = words.text(section, "subject", code=shown)
    lines = [words.text("code.origin", "asked", ip=origin)]
    if code:
        lines.append(words.text("code.origin", "ignore"))
    context: dict[str, Any] = {
        "words": words,
        "subject": subject,
        "body": words.text(section, "body", code=shown, expires=expires),
        "code": code,
        "lines": lines,
    }
    short = words.text("code.origin", "sms", code=shown, expires=expires, ip=origin) if code else context["body"]
    return Rendered(
        subject=_one_line(subject),
        short=short,
        html=_environment().get_template("code.html.j2").render(context),
        text=_environment().get_template("code.txt.j2").render(context),
    )


def _one_line(subject: str) -> str:
    """A header holds one line: a name from outside must not begin another."""
    return " ".join(subject.split())
