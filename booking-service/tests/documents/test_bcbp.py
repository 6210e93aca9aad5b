from datetime import date

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from booking_service.documents.papers.bcbp import (
    BoardingPassCode,
    UnreadableBarCode,
    decode,
    name_field,
    number_field,
    seat_field,
    sequence_field,
)
from booking_service.documents.papers.pass_signature import PassSigner, is_genuine

# Published samples of IATA Resolution 792.
PLAIN = "M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 326J001A0025 100"
SIGNED = (
    PLAIN + "^164GIWVC5EH7JNT684FVNJ91W2QA4DVN5J8K4F0L0GEQ3DF5TGBN8709HKT5D3DW3GBHFCVHMY7J5T6HFR41W2QA4DVN5J8K4F0L0GE"
)
SEED = "cmlobGEtbG9jYWwtYm9hcmRpbmctcGFzcy1zZWVkLTE"
OTHER_SEED = "cmlobGEtbG9jYWwtYm9hcmRpbmctcGFzcy1zZWVkLTI"


@pytest.mark.parametrize("sample", [PLAIN, SIGNED])
def test_the_published_samples_read_and_write_back_to_the_letter(sample: str) -> None:
    assert decode(sample).encode() == sample


def test_the_fields_of_the_published_sample_are_where_the_resolution_puts_them() -> None:
    code = decode(SIGNED)
    assert (code.name, code.reference, code.origin, code.destination) == ("DESMARAIS/LUC", "ABC123", "YUL", "FRA")
    assert (code.carrier, code.flight_number, code.day_of_year) == ("AC", "0834 ", 326)
    assert (code.compartment, code.seat, code.sequence, code.passenger_status) == ("J", "001A", "0025 ", "1")
    assert code.electronic_ticket
    assert (code.security_type, len(code.security_data)) == ("1", 0x64)


def test_the_parts_of_our_own_data_make_the_published_sample() -> None:
    code = BoardingPassCode(
        name=name_field("Desmarais", "Luc"),
        reference="ABC123",
        origin="YUL",
        destination="FRA",
        carrier="AC",
        flight_number=number_field("834"),
        day_of_year=326,
        compartment="J",
        seat=seat_field("1A"),
        sequence=sequence_field(25),
    )
    assert code.encode() == PLAIN


@pytest.mark.parametrize("symbology", [zxingcpp.BarcodeFormat.Aztec, zxingcpp.BarcodeFormat.PDF417])
def test_a_reader_of_the_symbol_gets_the_text_back(symbology: zxingcpp.BarcodeFormat) -> None:
    image = zxingcpp.create_barcode(SIGNED, symbology).to_image(scale=4, add_quiet_zones=True)
    assert zxingcpp.read_barcode(image).text == SIGNED


@given(
    surname=st.text(min_size=1, max_size=40),
    given_name=st.text(max_size=40),
    day=st.integers(1, 366),
    row=st.integers(1, 99),
    sequence=st.integers(1, 9999),
    conditional=st.text(alphabet="ABC0123456789>", max_size=60),
)
def test_any_pass_reads_back_as_it_was_written(
    surname: str, given_name: str, day: int, row: int, sequence: int, conditional: str
) -> None:
    code = BoardingPassCode(
        name=name_field(surname, given_name),
        reference="K7QX2M",
        origin="DAC",
        destination="JED",
        carrier="RQ",
        flight_number=number_field("101"),
        day_of_year=day,
        compartment="Y",
        seat=seat_field(f"{row}K"),
        sequence=sequence_field(sequence),
        conditional=conditional,
    )
    text = code.encode()
    assert len(text) == 60 + len(conditional)
    assert text.isascii()
    assert decode(text) == code


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        ("", "one-leg"),
        ("M2" + PLAIN[2:], "one-leg"),
        (PLAIN[:40], "60 characters"),
        (PLAIN[:44] + "400" + PLAIN[47:], "1-366"),
        (PLAIN[:44] + "abc" + PLAIN[47:], "no number"),
        (PLAIN[:58] + "10", "cut short"),
        (SIGNED[:-1], "another length"),
        (PLAIN + "?1", "security"),
    ],
)
def test_a_damaged_code_is_refused_with_its_reason(broken: str, what: str) -> None:
    with pytest.raises(UnreadableBarCode, match=what):
        decode(broken)


def test_the_year_is_the_one_nearest_to_the_reader() -> None:
    code = decode(PLAIN)
    assert code.flight_date(date(2026, 11, 20)) == date(2026, 11, 22)
    assert code.flight_date(date(2027, 1, 2)) == date(2026, 11, 22)


def test_names_are_cut_to_the_field_and_keep_a_letter_of_the_given_name() -> None:
    assert name_field("Rahman", "Amina") == "RAHMAN/AMINA"
    assert name_field("Abcdefghijklmnopqrstuvwxyz", "Luc") == "ABCDEFGHIJKLMNOPQR/L"
    assert name_field("রহমান", "আমিনা") == "RAHAMAN/AMINA"
    assert name_field("李", "小龙") == "X"
    assert len(name_field("Wolfeschlegelstein", "Hubert Blaine")) == 20


def test_a_lap_infant_has_no_seat_and_an_operational_suffix_its_place() -> None:
    assert seat_field(None) == "INF "
    assert number_field("101A") == "0101A"


def test_a_gate_verifies_offline_and_notices_a_changed_letter() -> None:
    signer = PassSigner([SEED])
    signed = decode(signer.sign(decode(PLAIN)).encode())
    assert is_genuine(signed, signer.public_keys())
    forged = decode(signed.encode().replace("001A", "002A"))
    assert not is_genuine(forged, signer.public_keys())
    assert not is_genuine(decode(PLAIN), signer.public_keys())
    assert not is_genuine(decode(SIGNED), signer.public_keys())


def test_passes_signed_before_a_rotation_stay_genuine() -> None:
    before, after = PassSigner([SEED]), PassSigner([OTHER_SEED, SEED])
    old = before.sign(decode(PLAIN))
    assert is_genuine(old, after.public_keys())
    assert after.sign(decode(PLAIN)).security_data[:8] != old.security_data[:8]
    assert not is_genuine(after.sign(decode(PLAIN)), before.public_keys())


@pytest.mark.parametrize("seeds", [[], [""], ["dG9vLXNob3J0"]])
def test_a_signer_without_a_proper_key_is_refused(seeds: list[str]) -> None:
    with pytest.raises(ValueError, match=r"key"):
        PassSigner(seeds)
