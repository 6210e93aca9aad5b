"""Names in scripts our fonts lack: printed in Latin letters instead of as nothing at all. Pure.

The typesetter falls back to no other font, so that the same input gives the same page on every machine; a letter
without a glyph would leave a blank. `tests/documents/test_printable.py` compares the ranges with the fonts themselves.
"""

import re
import unicodedata
from typing import Final

from booking_service.documents.papers.romanise import latin_name

UNREADABLE: Final = "(name as in the passport)"
"""For a script that is not read letter by letter, such as Chinese."""
RANGES: Final = (
    (0x0020, 0x007E),
    (0x00A0, 0x024F),
    (0x0300, 0x030C),
    (0x0323, 0x0331),
    (0x0600, 0x06FF),
    (0x0980, 0x09FE),
    (0x1E00, 0x1EFF),
    (0x200C, 0x200F),
    (0x2010, 0x2027),
)
# Cyrillic after ICAO Doc 9303 part 3, section 6.B; Greek after ISO 843, letter by letter.
_ALPHABETS: Final = {
    "А": "A", "Б": "B", "В": "V", "Г": "G", "Д": "D", "Е": "E", "Ж": "ZH", "З": "Z", "И": "I", "Й": "I", "К": "K",
    "Л": "L", "М": "M", "Н": "N", "О": "O", "П": "P", "Р": "R", "С": "S", "Т": "T", "У": "U", "Ф": "F", "Х": "KH",
    "Ц": "TS", "Ч": "CH", "Ш": "SH", "Щ": "SHCH", "Ъ": "IE", "Ы": "Y", "Ь": "", "Э": "E", "Ю": "IU", "Я": "IA",
    "Ё": "E", "І": "I", "Ї": "I", "Є": "IE", "Ґ": "G", "Ў": "U", "Ј": "J", "Љ": "LJ", "Њ": "NJ", "Ћ": "C", "Ђ": "D",
    "Џ": "DZ",
    "Α": "A", "Β": "V", "Γ": "G", "Δ": "D", "Ε": "E", "Ζ": "Z", "Η": "I", "Θ": "TH", "Ι": "I", "Κ": "K", "Λ": "L",
    "Μ": "M", "Ν": "N", "Ξ": "X", "Ο": "O", "Π": "P", "Ρ": "R", "Σ": "S", "Τ": "T", "Υ": "Y", "Φ": "F", "Χ": "CH",
    "Ψ": "PS", "Ω": "O",
}  # fmt: skip
_SOUND: Final = re.compile(r"(LETTER|SYLLABLE|VOWEL SIGN|SIGN) ([A-Z]+(?: [A-Z]+)?)$")
# Indic scripts write a consonant with its A; kana and hangul have a sound for each sign.
_SPELLED: Final = re.compile(
    r"^(DEVANAGARI|GURMUKHI|GUJARATI|ORIYA|TAMIL|TELUGU|KANNADA|MALAYALAM|SINHALA|HANGUL|HIRAGANA|KATAKANA) "
)


def printable(name: str) -> str:
    """The name as written when our fonts have every letter, else in `A`-`Z`. Never empty for a name that is not."""
    written = unicodedata.normalize("NFC", name)
    if all(_has_glyph(sign) for sign in written):
        return name
    return _spelled_name(written).strip() or latin_name(written) or UNREADABLE


def _has_glyph(sign: str) -> bool:
    return any(first <= ord(sign) <= last for first, last in RANGES)


def _spelled_name(name: str) -> str:
    """Letter by letter after the letters' own names in Unicode; empty when one of them says no sound."""
    words = [_spelled(word) for word in name.split()]
    return " ".join(word for word in words if word) if None not in words else ""


def _spelled(word: str) -> str | None:
    sounds: str | None = ""
    for sign in word:
        sounds = _add(sounds, sign) if sounds is not None else None
    return sounds


def _add(sounds: str, sign: str) -> str | None:
    """The word so far with one more sign; None for a sign that says no sound."""
    upper = unicodedata.normalize("NFD", sign.upper())[:1] if sign.upper() not in _ALPHABETS else sign.upper()
    if upper in _ALPHABETS:
        return sounds + _ALPHABETS[upper]
    called = unicodedata.name(sign, "")
    if not _SPELLED.match(called):
        return None
    if called.endswith(("VIRAMA", "AL-LAKUNA")):
        return sounds.removesuffix("A")
    if called.endswith(("ANUSVARA", "CANDRABINDU", "BINDI", "TIPPI")):
        return f"{sounds}N"
    found = _SOUND.search(called)
    if found is None:
        return sounds
    kind, sound = found.group(1), found.group(2).rpartition(" ")[2]
    return (sounds.removesuffix("A") if kind == "VOWEL SIGN" else sounds) + sound
