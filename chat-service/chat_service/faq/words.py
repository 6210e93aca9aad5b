"""Words of a question as a search wants them. Pure."""

import re

# Vowel signs and other marks of Arabic and Bengali are no letters to Python, yet belong to their words.
_MARKS = "\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u0981-\u0983\u09bc-\u09cd\u09d7\u09e2\u09e3\u200c\u200d"
_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{_MARKS}]){{1,39}}")
_MOST_WORDS = 24
# Words that say nothing about the matter, in the languages of the FAQ.
_SAYING_NOTHING = (
    "the and for you your are was were can could how what when where which who why will would have has had does did do",
    "is it its my me we our to of in on at an as be by or if so not no this that with from about please want",
    "need may much many get there any am should",
    "كيف هل في من على إلى ما متى أين لا أن هو هي عن مع",
    "কি কী কেন কখন কোথায় কিভাবে কীভাবে আমি আমার আপনার এবং করতে করব হয় না একটি এই",
    "کیا کیسے کب کہاں میں میرا میری ہے ہیں کی کے کا کو سے اور نہیں پر",
)
STOP_WORDS = frozenset(word for line in _SAYING_NOTHING for word in line.split())
_ENDINGS = ("ings", "ing", "ies", "ed", "es", "s")
_SHORTEST_STEM = 4


def words_of(text: str) -> list[str]:
    """The words that matter, lower case, each once, in order; English endings cut so that `bags` finds `bag`."""
    found: dict[str, None] = {}
    for word in _WORD.findall(text.lower()):
        if word not in STOP_WORDS:
            found[stem(word)] = None
        if len(found) == _MOST_WORDS:
            break
    return list(found)


def stem(word: str) -> str:
    """The word without an English ending, when enough of it stays."""
    if not word.isascii():
        return word
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM - 1:
            return word[: -len(ending)]
    return word


def overlap(asked: list[str], text: str) -> float:
    """How much of what was asked `text` speaks of: 0 nothing, 1 every word."""
    if not asked:
        return 0.0
    there = set(words_of(text))
    return sum(1 for word in asked if word in there) / len(asked)
