"""How places are found by what people type. Pure."""

import unicodedata

# What the Latin alphabets around the world write with one letter and people without it type with another.
_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "ø": "o", "å": "a", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "œ": "oe", "’": "'"}
)


def fold(name: str) -> str:
    """Lower case without accents: `São Paulo` and `sao paulo` are the same to a search."""
    plain = unicodedata.normalize("NFKD", name.lower().translate(_LETTERS))
    return " ".join("".join(letter for letter in plain if not unicodedata.combining(letter)).split())


def search_text(iata: str, city: str, name: str, subdivision: str, city_code: str | None) -> str:
    """What the index of place search holds for an airport."""
    return fold(" ".join(part for part in (iata, city_code or "", city, name, subdivision) if part))
