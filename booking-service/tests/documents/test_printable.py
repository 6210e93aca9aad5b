"""No name prints as nothing: what our fonts lack is set in Latin letters."""

import struct
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking_service.documents.papers.printable import RANGES, UNREADABLE, printable
from booking_service.documents.papers.wording import airline_name_of, printed_name
from booking_service.documents.typeset import FONTS


def letters_of(font: bytes) -> set[int]:
    """The code points of a TrueType font, from the segments of its `cmap` (format 4)."""
    tables = {
        font[at : at + 4]: struct.unpack(">II", font[at + 8 : at + 16])
        for at in range(12, 12 + 16 * struct.unpack(">H", font[4:6])[0], 16)
    }
    start = tables[b"cmap"][0]
    (count,) = struct.unpack(">H", font[start + 2 : start + 4])
    found: set[int] = set()
    for index in range(count):
        (offset,) = struct.unpack(">I", font[start + 8 + 8 * index : start + 12 + 8 * index])
        table = start + offset
        if struct.unpack(">H", font[table : table + 2])[0] != 4:
            continue
        (twice,) = struct.unpack(">H", font[table + 6 : table + 8])
        ends = struct.unpack(f">{twice // 2}H", font[table + 14 : table + 14 + twice])
        starts = struct.unpack(f">{twice // 2}H", font[table + 16 + twice : table + 16 + 2 * twice])
        for first, last in zip(starts, ends, strict=True):
            found.update(range(first, last + 1))
    return found


@pytest.mark.parametrize("weight", ["Bold"])
def test_every_letter_said_to_be_printable_has_a_glyph(weight: str) -> None:
    have = set().union(*(letters_of(file.read_bytes()) for file in FONTS.glob(f"*-{weight}.ttf")))
    lacking = [
        f"U+{point:04X} {unicodedata.name(chr(point), '?')}"
        for first, last in RANGES
        for point in range(first, last + 1)
        if unicodedata.category(chr(point))[0] in "LM" and point not in have
    ]
    assert lacking == []


@pytest.mark.parametrize("name", ["Amina Rahman", "আমিনা রহমান", "محمد عبد الله", "فاطمہ گڑیا", "Nguyễn Văn"])
def test_a_name_in_a_script_we_have_keeps_its_letters(name: str) -> None:
    assert printable(name) == name


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("राम कुमार", "RAAMA KUMAARA"),
        ("இளங்கோ", "ILLANGKOO"),
        ("さくら", "SAKURA"),
        ("Иван Щукин", "IVAN SHCHUKIN"),
        ("Наталья", "NATALIA"),
        ("Αθηνά", "ATHINA"),
        ("김 민수", "GIM MINSU"),
        ("李小龙", UNREADABLE),
        ("Li 小龙", "LI"),
        ("", ""),
    ],
)
def test_a_name_our_fonts_lack_is_printed_in_latin_letters(name: str, printed: str) -> None:
    assert printable(name) == printed


def test_the_ticket_shows_the_same_for_the_airline_s_spelling() -> None:
    assert printed_name("राम", "कुमार") == "RAAMA KUMAARA"
    assert airline_name_of("राम", "कुमार", "MR") == "RAAMA KUMAARA"


@given(st.text(min_size=1, max_size=40).filter(lambda one: one.strip()))
def test_no_name_is_ever_printed_as_nothing(name: str) -> None:
    assert printable(name).strip()
