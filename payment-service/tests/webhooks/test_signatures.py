"""Signature schemes on plain values."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from payment_service.providers.signatures import (
    PAYMOB_FIELDS,
    paymob_signature,
    paymob_text,
    timestamped_signature,
    verify_paymob,
    verify_timestamped,
)

NOW = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
T = int(NOW.timestamp())
BODY = b'{"id":"evt_1"}'


def header(secret: str = "whsec_new", t: int = T, body: bytes = BODY) -> str:
    return f"t={t},v1={timestamped_signature(secret, t, body)}"


def test_the_scheme_is_hmac_sha256_over_timestamp_dot_body() -> None:
    expected = hmac.new(b"k", b"1700000000." + BODY, hashlib.sha256).hexdigest()
    assert timestamped_signature("k", 1700000000, BODY) == expected


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_signature_within_the_tolerance_is_good(seconds: int) -> None:
    assert verify_timestamped(header(t=T + seconds), BODY, secrets=["whsec_new"], now=NOW)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_signature_outside_the_tolerance_is_refused_both_ways(seconds: int) -> None:
    assert not verify_timestamped(header(t=T + seconds), BODY, secrets=["whsec_new"], now=NOW)


def test_during_rotation_either_secret_and_either_mark_will_do() -> None:
    both = ["whsec_new", "whsec_old"]
    assert verify_timestamped(header("whsec_old"), BODY, secrets=both, now=NOW)
    two_marks = f"t={T},v1={'0' * 64},v1={timestamped_signature('whsec_new', T, BODY)},v0=x"
    assert verify_timestamped(two_marks, BODY, secrets=["whsec_new"], now=NOW)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "t=",
        f"t={T}",
        "v1=abc",
        f"t=x{T},v1=00",
        f"t={T},v1=",
        f"t={T},v1={'0' * 64}",
        f"t={T},v1=ü",
        "t=9" + "9" * 40,
    ],
)
def test_a_malformed_header_is_refused(bad: str) -> None:
    assert not verify_timestamped(bad, BODY, secrets=["whsec_new"], now=NOW)


def test_without_a_secret_nothing_is_good() -> None:
    assert not verify_timestamped(header(""), BODY, secrets=[], now=NOW)
    later = NOW + timedelta(seconds=1)
    assert not verify_timestamped(header("other"), BODY, secrets=["whsec_new"], now=later)


TRANSACTION = {
    "amount_cents": 100, "created_at": "2020-03-25T18:39:44.719228", "currency": "EGP", "error_occured": False,
    "has_parent_transaction": False, "id": 2556706, "integration_id": 6741, "is_3d_secure": True, "is_auth": False,
    "is_capture": False, "is_refunded": False, "is_standalone_payment": True, "is_voided": False,
    "order": {"id": 4778239}, "owner": 4705, "pending": False,
    "source_data": {"pan": "2346", "sub_type": "MasterCard", "type": "card"}, "success": True,
}  # fmt: skip


def test_the_text_paymob_signs_is_the_values_in_their_documented_order() -> None:
    assert len(PAYMOB_FIELDS) == 20
    assert paymob_text(TRANSACTION) == (
        "1002020-03-25T18:39:44.719228EGPfalsefalse25567066741truefalsefalsefalsetruefalse47782394705false2346MasterCardcardtrue"
    )


def test_a_redirect_with_flat_fields_has_the_same_text() -> None:
    flat = {k: v for k, v in TRANSACTION.items() if k not in ("order", "source_data")}
    flat |= {
        "order": "4778239",
        "source_data.pan": "2346",
        "source_data.sub_type": "MasterCard",
        "source_data.type": "card",
    }
    assert paymob_text(flat) == paymob_text(TRANSACTION)


def test_a_changed_field_breaks_paymobs_signature() -> None:
    given = paymob_signature("s", TRANSACTION)
    assert verify_paymob(TRANSACTION, given, secrets=["new", "s"])
    assert verify_paymob(TRANSACTION, given.upper(), secrets=["s"])
    assert not verify_paymob({**TRANSACTION, "amount_cents": 101}, given, secrets=["s"])
    assert not verify_paymob(TRANSACTION, "", secrets=["s"])
