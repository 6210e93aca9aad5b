import pytest

from notification_service.wording.catalogue import catalogue
from notification_service.wording.kinds import KINDS, LANGUAGES, language_of
from notification_service.wording.render import values_of


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_no_language_lacks_a_sentence_or_a_value_of_it(language: str) -> None:
    english, other = catalogue("en").sentences(), catalogue(language).sentences()
    missing = sorted(english.keys() - other.keys())
    unknown = sorted(other.keys() - english.keys())
    differing = {name: (english[name], other[name]) for name in english if other.get(name) != english[name]}
    assert not missing, f"{language} lacks {missing}"
    assert not unknown, f"{language} has what English has not: {unknown}"
    assert not differing, f"{language} takes other values: {differing}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_notice_has_its_sentences_and_values(kind: str) -> None:
    sentences = catalogue("en").sentences()
    known = set(values_of("en", {}))
    for name in ("subject", "body", "short"):
        assert sentences[f"{kind}.{name}"] <= known


def test_a_sentence_that_a_language_lacks_falls_back_to_english() -> None:
    from notification_service.wording.catalogue import Catalogue

    empty = Catalogue("bn", {}, catalogue("en"))
    assert empty.text("booking_confirmed", "short", reference="K7QX2M") == "Booking K7QX2M is confirmed."


def test_an_unknown_locale_reads_english_and_a_region_its_language() -> None:
    assert language_of("xx-YY") == "en"
    assert language_of("bn_BD") == "bn"
    assert language_of("ar-EG") == "ar"
    assert language_of("") == "en"
