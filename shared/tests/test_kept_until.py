"""Values that are kept for a while: none longer than its time, none more than there is room for."""

from rihla.kernel.kept_until import KeptUntil


def test_a_value_is_there_until_its_time_is_over():
    now = [0.0]
    kept = KeptUntil[str, int](10, lambda: now[0])
    kept.keep("a", 1, until=5)
    now[0] = 4.9
    assert (kept.get("a"), kept.get("b")) == (1, None)
    now[0] = 5
    assert kept.get("a") is None


def test_what_is_over_makes_room_and_what_was_renewed_stays():
    now = [0.0]
    kept = KeptUntil[str, int](10, lambda: now[0])
    kept.keep("renewed", 1, until=5)
    kept.keep("over", 2, until=5)
    now[0] = 4
    kept.keep("renewed", 3, until=9)
    now[0] = 6
    kept.keep("new", 4, until=11)
    assert len(kept) == 2
    assert (kept.get("renewed"), kept.get("new")) == (3, 4)


def test_the_oldest_goes_when_there_are_too_many():
    kept = KeptUntil[int, int](2, lambda: 0.0)
    for one in range(3):
        kept.keep(one, one, until=9)
    assert [kept.get(one) for one in range(3)] == [None, 1, 2]
