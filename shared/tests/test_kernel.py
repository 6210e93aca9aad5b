import pytest
from hypothesis import given
from hypothesis import strategies as st

from rihla.kernel import Money, apportion, currency_digits, new_id


def test_ids_of_one_process_sort_by_creation() -> None:
    ids = [new_id() for _ in range(20_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {item.version for item in ids} == {7}


@pytest.mark.parametrize(
    ("text", "currency", "minor"), [("612.40", "USD", 61240), ("612", "JPY", 612), ("1.234", "KWD", 1234)]
)
def test_money_has_the_digits_of_its_currency(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)
    assert Money(minor, currency).decimal() == text


@pytest.mark.parametrize("text", ["1.234", "abc", "NaN", "Infinity"])
def test_an_amount_with_too_many_digits_or_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="decimal"):
        Money.parse(text, "USD")


def test_amounts_of_two_currencies_do_not_add() -> None:
    with pytest.raises(ValueError, match="cannot add"):
        Money(1, "USD") + Money(1, "EUR")


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=40))
def test_the_parts_of_an_apportioned_total_add_up_to_it(total: int, weights: list[int]) -> None:
    parts = apportion(total, weights)
    assert sum(parts) == total
    assert len(parts) == len(weights)


@given(st.integers(-(10**9), 10**9), st.sampled_from(["USD", "JPY", "KWD"]))
def test_money_survives_the_wire(minor: int, currency: str) -> None:
    assert Money.parse(Money(minor, currency).decimal(), currency).amount_minor == minor
    assert currency_digits(currency) in (0, 2, 3)
