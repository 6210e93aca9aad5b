"""Rules of postings, on plain values."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payment_service.ledger import accounts
from payment_service.ledger.chain import GENESIS, SealedEntry, SealedPosting, link_hash
from payment_service.ledger.posting import Line, Posting, UnbalancedPosting, merged, totals, transfer
from rihla.kernel import new_id

USER = new_id()


def test_a_posting_that_does_not_sum_to_zero_cannot_be_made() -> None:
    with pytest.raises(UnbalancedPosting):
        Posting("k", "test", (Line(accounts.charges("USD"), 5), Line(accounts.in_flight("USD"), -4)))


def test_units_balance_each_on_its_own() -> None:
    with pytest.raises(UnbalancedPosting):
        Posting("k", "test", (Line(accounts.charges("USD"), 5), Line(accounts.charges("EUR"), -5)))


@pytest.mark.parametrize("amount", [0, -1])
def test_a_transfer_of_nothing_or_less_is_refused(amount: int) -> None:
    with pytest.raises(UnbalancedPosting):
        transfer(accounts.charges("USD"), accounts.in_flight("USD"), amount)


def test_an_account_keeps_its_id_and_a_user_kind_needs_an_owner() -> None:
    assert accounts.wallet(USER, "USD").id == accounts.wallet(USER, "USD").id
    assert accounts.wallet(USER, "USD").id != accounts.wallet(USER, "EUR").id
    with pytest.raises(ValueError, match="belong together"):
        accounts.Account("wallet", "USD")


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(1, 10**12)), min_size=1, max_size=20))
def test_merging_lines_keeps_every_sum(moves: list[tuple[int, int, int]]) -> None:
    chart = [accounts.charges("USD"), accounts.in_flight("USD"), accounts.provider("sandbox", "USD")]
    chart += [accounts.wallet(USER, "USD"), accounts.adjustments("USD")]
    lines = [line for a, b, amount in moves for line in transfer(chart[a], chart[b], amount)]
    joined = merged(lines)
    assert totals(joined) in ({"USD": 0}, {})
    assert len({line.account for line in joined}) == len(joined)
    for account in chart:
        assert sum(x.amount for x in lines if x.account == account) == sum(
            x.amount for x in joined if x.account == account
        )


def test_the_hash_of_a_link_changes_with_every_field_it_covers() -> None:
    at = datetime(2026, 12, 1, tzinfo=UTC)
    entry = SealedEntry(1, new_id(), "USD", 5, 5)
    posting = SealedPosting(new_id(), "k", "payment", None, None, None, at, [entry])
    changed = SealedPosting(posting.id, "k", "payment", None, None, "why", at, [entry])
    other = SealedPosting(
        posting.id, "k", "payment", None, None, None, at, [SealedEntry(1, entry.account_id, "USD", 6, 5)]
    )
    hashes = {link_hash(GENESIS, 1, item) for item in (posting, changed, other)}
    hashes |= {link_hash(GENESIS, 2, posting), link_hash(bytes([1] * 32), 1, posting)}
    assert len(hashes) == 5
