"""Encryption at rest: bound to its owner, readable with every key that is still there."""

import base64
import json

import pytest

from rihla.encryption import DataCipher, UnreadableData, read_keys
from rihla.kernel import new_id

OLD, NEW = b"o" * 32, b"n" * 32


def _text(**keys: bytes) -> str:
    return json.dumps({name: base64.b64encode(key).decode() for name, key in keys.items()})


def test_what_is_encrypted_for_one_owner_and_purpose_reads_for_no_other() -> None:
    cipher, owner = DataCipher(read_keys(_text(new=NEW))), new_id()
    sealed = cipher.encrypt("BX0123456", what="passport", owner=owner)
    assert b"BX0123456" not in sealed
    assert cipher.decrypt(sealed, what="passport", owner=owner) == "BX0123456"
    for what, whose in (("passport", new_id()), ("secret", owner)):
        with pytest.raises(UnreadableData):
            cipher.decrypt(sealed, what=what, owner=whose)


def test_a_new_key_first_encrypts_and_the_old_one_still_reads_until_it_is_gone() -> None:
    owner = new_id()
    before = DataCipher(read_keys(_text(old=OLD))).encrypt("text", what="w", owner=owner)
    both = DataCipher(read_keys(_text(new=NEW, old=OLD)))
    assert both.decrypt(before, what="w", owner=owner) == "text"
    assert not both.is_current(before)
    assert both.is_current(both.encrypt("text", what="w", owner=owner))
    with pytest.raises(UnreadableData):
        DataCipher(read_keys(_text(new=NEW))).decrypt(before, what="w", owner=owner)


@pytest.mark.parametrize("text", ["{}", '{"short": "c2hvcnQ="}'])
def test_keys_of_another_length_and_no_keys_at_all_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        read_keys(text)
