"""The catalogue's schemas are stored; reading old with new and new with old is the promise of a version."""

import json
from pathlib import Path

import pytest

from rihla.contracts.events import Envelope, UserDeletedV1, catalogue
from rihla.contracts.schemas import schema_files
from rihla.kernel import FixedClock, new_id

STORED = Path(__file__).resolve().parents[1] / "schemas"


def test_every_event_has_its_stored_schema() -> None:
    stored = {path.name: path.read_text() for path in STORED.glob("*.json")}
    assert stored == schema_files(), "run `python -m rihla.contracts.schemas` and review the difference"


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_an_event_type_says_what_has_happened_in_a_version(name: str) -> None:
    producer_word, past, version = name.split(".")
    assert version.startswith("v")
    assert past.endswith(("ed", "ed_in", "notice", "ready"))
    assert producer_word


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_a_field_added_later_is_ignored_by_an_older_reader(name: str) -> None:
    kind = catalogue()[name]
    assert kind.model_config.get("extra") == "ignore"
    assert kind.model_config.get("frozen")


def test_an_envelope_survives_the_wire(clock: FixedClock) -> None:
    event = UserDeletedV1(user_id=new_id(), deleted_at=clock.now())
    envelope = Envelope.of(event, subject=str(event.user_id), sequence=4, time=clock.now())
    again = Envelope.model_validate_json(envelope.model_dump_json())
    assert again == envelope
    assert again.parse() == event
    assert json.loads(envelope.model_dump_json())["specversion"] == "1.0"
