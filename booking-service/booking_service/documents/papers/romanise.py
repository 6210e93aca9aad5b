"""Names in the letters a machine-readable document allows: `A`-`Z` and a space.

Arabic and Urdu letters follow the plain romanisation airlines key in (SH, KH, TH, ...), not the `X..` escapes of ICAO
Doc 9303 part 3, section 6.B, which are meant for machine-readable zones only; Latin letters with marks follow the table
of section 6.A where it differs from dropping the mark (AE, OE, SS, TH). Bengali follows the passport office's habit: a
consonant keeps its `A` unless a vowel sign or hasanta follows it or it ends the word.
"""

import unicodedata
from typing import Final

_LATIN: Final = {
    "Æ": "AE", "Ä": "AE", "Å": "AA", "Ð": "D", "Ø": "OE", "Ö": "OE", "Þ": "TH", "ẞ": "SS", "ß": "SS", "Ü": "UE",
    "Ĳ": "IJ", "Ł": "L", "Ŋ": "N", "Œ": "OE", "Đ": "D", "Ħ": "H", "Ŧ": "T", "ı": "I", "Ə": "E", "Ñ": "N",
}  # fmt: skip
_ARABIC: Final = {
    "ا": "A", "أ": "A", "إ": "I", "آ": "AA", "ٱ": "A", "ء": "", "ؤ": "U", "ئ": "I", "ب": "B", "ت": "T", "ث": "TH",
    "ج": "J",
    "ح": "H", "خ": "KH", "د": "D", "ذ": "DH", "ر": "R", "ز": "Z", "س": "S", "ش": "SH", "ص": "S", "ض": "D", "ط": "T",
    "ظ": "Z", "ع": "A", "غ": "GH", "ف": "F", "ق": "Q", "ك": "K", "ل": "L", "م": "M", "ن": "N", "ه": "H", "ة": "A",
    "و": "W",
    "ى": "A", "ي": "Y", "پ": "P", "چ": "CH", "ژ": "ZH", "گ": "G", "ک": "K", "ی": "I", "ے": "E", "ۓ": "E", "ٹ": "T",
    "ڈ": "D",
    "ڑ": "R", "ں": "N", "ہ": "H", "ھ": "H", "ۃ": "A", "ۂ": "H",
    "\u064e": "A", "\u0650": "I", "\u064f": "U", "\u064b": "AN", "\u064c": "UN", "\u064d": "IN",
}  # fmt: skip
_BENGALI_CONSONANTS: Final = {
    "ক": "K", "খ": "KH", "গ": "G", "ঘ": "GH", "ঙ": "NG", "চ": "CH", "ছ": "CHH", "জ": "J", "ঝ": "JH", "ঞ": "N", "ট": "T",
    "ঠ": "TH", "ড": "D", "ঢ": "DH", "ণ": "N", "ত": "T", "থ": "TH", "দ": "D", "ধ": "DH", "ন": "N", "প": "P", "ফ": "F",
    "ব": "B",
    "ভ": "BH", "ম": "M", "য": "J", "র": "R", "ল": "L", "শ": "SH", "ষ": "SH", "স": "S", "হ": "H",
    "\u09dc": "R", "\u09dd": "RH", "\u09df": "Y",
    "ৰ": "R", "ৱ": "W",
}  # fmt: skip
_BENGALI_OTHERS: Final = {
    "অ": "A", "আ": "A", "ই": "I", "ঈ": "I", "উ": "U", "ঊ": "U", "ঋ": "RI", "এ": "E", "ঐ": "OI", "ও": "O", "ঔ": "OU",
    "া": "A", "ি": "I", "ী": "I", "ু": "U", "ূ": "U", "ৃ": "RI", "ে": "E", "ৈ": "OI", "ো": "O", "ৌ": "OU",
    "ৎ": "T", "ং": "NG", "ঃ": "H", "ঁ": "", "্": "",
}  # fmt: skip
# Unicode never composes these three (composition exclusions), so they are joined here before a letter is looked up.
_NUKTA_LETTERS: Final = {"\u09a1\u09bc": "\u09dc", "\u09a2\u09bc": "\u09dd", "\u09af\u09bc": "\u09df"}
_VOWEL_SIGNS: Final = frozenset("ািীুূৃেৈোৌ্")


def latin_name(name: str) -> str:
    """The name in upper-case `A`-`Z` with single spaces; hyphens become spaces, apostrophes and unknown signs vanish.

    May be empty: a script this table does not know gives no letters, and the caller decides what to print then.
    """
    letters: list[str] = []
    text = unicodedata.normalize("NFC", name)
    for split, joined in _NUKTA_LETTERS.items():
        text = text.replace(split, joined)
    for position, sign in enumerate(text):
        following = text[position + 1] if position + 1 < len(text) else ""
        letters.append(_letter(sign, following))
    return " ".join("".join(letters).split())


def _letter(sign: str, following: str) -> str:
    if sign in _BENGALI_CONSONANTS:
        keeps_vowel = following != "" and following not in _VOWEL_SIGNS and following.isalpha()
        return _BENGALI_CONSONANTS[sign] + ("A" if keeps_vowel else "")
    for table in (_BENGALI_OTHERS, _ARABIC):
        if sign in table:
            return table[sign]
    upper = sign.upper()
    if upper in _LATIN or sign in _LATIN:
        return _LATIN.get(upper) or _LATIN[sign]
    if sign.isspace() or unicodedata.category(sign) == "Pd":
        return " "
    return "".join(part for part in unicodedata.normalize("NFD", upper) if "A" <= part <= "Z")
