"""What is noted of prices, day by day."""

from datetime import timedelta
from typing import Any

import pytest

from flight_service.fares import price_history
from flight_service.fares.default_rules import DEFAULT_RULES
from flight_service.fares.price_history import note_day
from flight_service.fares.rule_set import read_rule_set

_ON_SALE = (
    "SELECT count(*) AS n FROM flight f JOIN cabin_inventory i ON i.flight_id = f.id "
    "WHERE f.status IN ('scheduled', 'delayed') AND f.departure_at > '2026-12-01T08:00Z'"
)
_NOTED = "SELECT count(*) AS n, count(DISTINCT (flight_id, cabin)) AS cabins FROM price_history WHERE reason = 'day'"


async def test_each_cabin_on_sale_is_noted_once_a_day_page_by_page(
    service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(price_history, "_FLIGHTS_AT_ONCE", 97)
    db, now = service.app.state.container.db, service.clock.now()
    rules = read_rule_set(0, DEFAULT_RULES)
    (on_sale,) = await service.sql(_ON_SALE)
    assert await note_day(db, rules, now) == on_sale["n"] > 97
    assert await note_day(db, rules, now + timedelta(hours=19)) == 0
    (noted,) = await service.sql(_NOTED)
    assert noted["n"] == noted["cabins"] == on_sale["n"]
    assert await note_day(db, rules, now + timedelta(hours=24)) > 0
