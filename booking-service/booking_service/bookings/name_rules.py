"""What can stand on a ticket as a name, and what is still the same person: pure rules."""

import unicodedata

LONGEST_NAME = 60
_IN_NAMES = frozenset(" -'’.\u200c\u200d")
_MOST_EDITS = 3


def name_finding(name: str) -> str | None:
    """Why `name` cannot stand on a ticket, or None. Letters of any script, spaces, hyphens, apostrophes and full
    stops may.
    """
    if not name.strip():
        return "A name must not be empty."
    if len(name) > LONGEST_NAME:
        return f"A name has at most {LONGEST_NAME} characters on a ticket."
    if not any(character.isalpha() for character in name):
        return "A name needs at least one letter."
    if any(unicodedata.category(one)[0] not in "LM" and one not in _IN_NAMES for one in name):
        return "A name holds letters, spaces, hyphens, apostrophes and full stops only."
    return None


def is_small_correction(old: str, new: str) -> bool:
    """Whether `new` is `old` with at most three letters wrong, and not more than half of it."""
    edits = _distance(old.casefold(), new.casefold())
    return edits <= _MOST_EDITS and edits * 2 <= max(len(old), len(new))


def _distance(left: str, right: str) -> int:
    """Levenshtein's distance: insertions, deletions and substitutions."""
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]
