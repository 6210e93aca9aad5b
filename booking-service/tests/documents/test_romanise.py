import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking_service.documents.papers.romanise import latin_name


@pytest.mark.parametrize(
    ("name", "latin"),
    [
        ("Amina Rahman", "AMINA RAHMAN"),
        ("José Müller-Łuć", "JOSE MUELLER LUC"),
        ("Strauß", "STRAUSS"),
        ("O'Brien", "OBRIEN"),
        ("Nguyễn  Văn", "NGUYEN VAN"),
        ("Åse Ødegård", "AASE OEDEGAARD"),
        ("আমিনা", "AMINA"),
        ("আব্দুল করিম", "ABDUL KARIM"),
        ("ফাতেমা বেগম", "FATEMA BEGAM"),
        ("চৌধুরী", "CHOUDHURI"),
        ("রায়", "RAY"),
        ("محمد", "MHMD"),
        ("مُحَمَّد", "MUHAMAD"),
        ("فاطمة", "FATMA"),
        ("خالد", "KHALD"),
        ("ٹیپو گڑیا", "TIPW GRIA"),
        ("李小龙", ""),
        ("", ""),
    ],
)
def test_names_in_the_letters_of_a_machine_readable_document(name: str, latin: str) -> None:
    assert latin_name(name) == latin


@given(st.text(max_size=60))
def test_nothing_but_capital_letters_and_single_spaces_ever_comes_out(name: str) -> None:
    latin = latin_name(name)
    assert set(latin) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ ")
    assert latin == " ".join(latin.split())
