"""The sentences of one language, read from its TOML file once. A missing entry falls back to English."""

import tomllib
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

from notification_service.wording.kinds import LANGUAGES, RIGHT_TO_LEFT

# Unicode isolates (UAX 9): a Latin reference or an amount inside an Arabic sentence keeps its own direction.
_ISOLATE, _END = "\u2068", "\u2069"


class Catalogue:
    """`text("booking_confirmed", "subject", reference="K7QX2M")`."""

    def __init__(self, language: str, entries: dict[str, Any], fallback: "Catalogue | None") -> None:
        self.language = language
        self.right_to_left = language in RIGHT_TO_LEFT
        self._entries = entries
        self._fallback = fallback

    def text(self, section: str, name: str, /, **values: str) -> str:
        """The sentence with its values. KeyError when not even English has it."""
        sentence = self._find(section, name)
        if self.right_to_left:
            values = {key: f"{_ISOLATE}{value}{_END}" for key, value in values.items()}
        return sentence.format(**values)

    def label(self, name: str, /, **values: str) -> str:
        """A word of the layout."""
        return self.text("label", name, **values)

    def has(self, section: str) -> bool:
        """Whether this language or English has the section."""
        return _section(self._entries, section) is not None or bool(self._fallback and self._fallback.has(section))

    def sentences(self) -> dict[str, frozenset[str]]:
        """Every entry by its full name with the values it takes: what a test compares between languages."""
        return {
            name: frozenset(field for _, field, _, _ in Formatter().parse(sentence) if field)
            for name, sentence in _flat(self._entries)
        }

    def _find(self, section: str, name: str) -> str:
        found = _section(self._entries, section)
        if found is not None and isinstance(found.get(name), str):
            return str(found[name])
        if self._fallback is None:
            raise KeyError(f"{section}.{name}")
        return self._fallback._find(section, name)


def _section(entries: dict[str, Any], section: str) -> dict[str, Any] | None:
    found: Any = entries
    for part in section.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else None


def _flat(entries: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in entries.items():
        found += _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else [(prefix + name, str(value))]
    return found


@cache
def catalogue(language: str) -> Catalogue:
    """The catalogue of a language we have. KeyError for another: ask `language_of` first."""
    if language not in LANGUAGES:
        raise KeyError(language)
    path = files("notification_service.wording").joinpath("languages", f"{language}.toml")
    entries = tomllib.loads(path.read_text(encoding="utf-8"))
    return Catalogue(language, entries, None if language == "en" else catalogue("en"))
