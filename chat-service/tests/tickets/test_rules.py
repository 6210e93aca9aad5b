from datetime import UTC, datetime, timedelta

import pytest

from chat_service.tickets.mail import reply_address, signature_fits, signature_of, ticket_number_of, written
from chat_service.tickets.rules import Priority, TicketStatus, due_times, is_legal, may_reopen, status_after_reply

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
SECRET = b"secret"
US = "support@rihla.local"


def test_tickets_move_forward_and_reopen_and_nothing_else() -> None:
    legal = {(before, after) for before in TicketStatus for after in TicketStatus if is_legal(before, after)}
    assert legal == {
        ("open", "in_progress"),
        ("in_progress", "resolved"),
        ("resolved", "closed"),
        ("resolved", "open"),
        ("closed", "open"),
    }


def test_a_closed_ticket_reopens_for_some_days() -> None:
    assert may_reopen(TicketStatus.RESOLVED, None, NOW, 30)
    assert may_reopen(TicketStatus.CLOSED, NOW - timedelta(days=30), NOW, 30)
    assert not may_reopen(TicketStatus.CLOSED, NOW - timedelta(days=31), NOW, 30)
    assert not may_reopen(TicketStatus.OPEN, None, NOW, 30)


def test_replies_move_tickets() -> None:
    assert status_after_reply(TicketStatus.OPEN, by_staff=True) is TicketStatus.IN_PROGRESS
    assert status_after_reply(TicketStatus.RESOLVED, by_staff=True) is TicketStatus.RESOLVED
    assert status_after_reply(TicketStatus.RESOLVED, by_staff=False) is TicketStatus.OPEN
    assert status_after_reply(TicketStatus.IN_PROGRESS, by_staff=False) is TicketStatus.IN_PROGRESS


def test_the_more_urgent_the_sooner() -> None:
    times = [due_times(priority, NOW) for priority in (Priority.URGENT, Priority.HIGH, Priority.NORMAL, Priority.LOW)]
    assert times == sorted(times, key=lambda due: (due.response_at, due.resolution_at))
    assert times[0].response_at == NOW + timedelta(hours=1)


def test_an_address_names_its_ticket_and_cannot_be_guessed() -> None:
    address = reply_address(US, 100001, SECRET)
    assert ticket_number_of(address.upper(), US, SECRET) == 100001
    assert ticket_number_of(US, US, SECRET) is None
    for forged in (address.replace("100001", "100002"), "support+100001@rihla.local", "support+x@rihla.local"):
        with pytest.raises(ValueError, match="not"):
            ticket_number_of(forged, US, SECRET)
    with pytest.raises(ValueError, match="not"):
        ticket_number_of(address, US, b"another secret")


def test_the_adapters_signature_holds_for_this_body_and_five_minutes() -> None:
    header = signature_of(b"{}", 1000, SECRET)
    assert signature_fits(header, b"{}", SECRET, 1300)
    assert not signature_fits(header, b"{ }", SECRET, 1000)
    assert not signature_fits(header, b"{}", SECRET, 1301)
    assert not signature_fits(header, b"{}", b"other", 1000)
    assert not signature_fits("", b"{}", SECRET, 1000)


@pytest.mark.parametrize(
    "quote",
    ["> quoted", "On Tue, Dec 1, 2026 Rihla wrote:", "-----Original Message-----", "From: Rihla", "في 1 ديسمبر كتب:"],
)
def test_what_a_mail_quotes_is_left_out(quote: str) -> None:
    assert written(f"Thank you.\r\n\r\nIt came.\n\n{quote}\n> old\n") == "Thank you.\n\nIt came."
