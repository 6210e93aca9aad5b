"""Types of request fields, normalised and checked the same way wherever they appear."""

import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from auth_service.people.identifiers import normal_email, normal_phone, parse_address, parse_identifier
from auth_service.people.rules import countries, currencies, normal_locale


def _country(code: str) -> str:
    if code.upper() not in countries():
        raise ValueError("not an ISO 3166 country code")
    return code.upper()


def _currency(code: str) -> str:
    if code.upper() not in currencies():
        raise ValueError("not an ISO 4217 currency")
    return code.upper()


def _readable(text: str) -> str:
    folded = unicodedata.normalize("NFC", text)
    if any(unicodedata.category(char) == "Cc" for char in folded):
        raise ValueError("control characters are not allowed")
    return folded


def _address(text: str) -> str:
    return parse_address(text).value


def _identifier(text: str) -> str:
    return parse_identifier(text).value


Email = Annotated[
    str, StringConstraints(max_length=320), AfterValidator(normal_email), Field(examples=["amina@example.com"])
]
Phone = Annotated[
    str,
    StringConstraints(max_length=40),
    AfterValidator(normal_phone),
    Field(examples=["+8801712345678"], description="E.164: with the country's code"),
]
Address = Annotated[
    str,
    StringConstraints(max_length=320),
    AfterValidator(_address),
    Field(examples=["amina@example.com"], description="E-mail address or phone number"),
]
# Passwords are taken as they were typed: surrounding spaces belong to them.
Password = Annotated[
    str,
    StringConstraints(min_length=8, max_length=128, strip_whitespace=False),
    Field(examples=["four wild geese over Sylhet"], description="8 to 128 characters, none demanded in particular"),
]
TypedPassword = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128, strip_whitespace=False),
    Field(examples=["four wild geese over Sylhet"]),
]
Code = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$"), Field(examples=["402913"])]
FullName = Annotated[
    str, StringConstraints(min_length=1, max_length=200), AfterValidator(_readable), Field(examples=["Amina Rahman"])
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_readable)]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=120), AfterValidator(_readable)]
Country = Annotated[
    str,
    StringConstraints(min_length=2, max_length=2),
    AfterValidator(_country),
    Field(examples=["BD"], description="ISO 3166-1 alpha-2"),
]
Currency = Annotated[
    str,
    StringConstraints(min_length=3, max_length=3),
    AfterValidator(_currency),
    Field(examples=["BDT"], description="ISO 4217"),
]
LocaleTag = Annotated[
    str,
    StringConstraints(min_length=2, max_length=35),
    AfterValidator(normal_locale),
    Field(examples=["bn-BD"], description="BCP 47"),
]
PhotoUrl = Annotated[
    str,
    StringConstraints(max_length=500, pattern=r"^https://[^\s\"<>]+$"),
    Field(examples=["https://img.example/a.jpg"]),
]
Gender = Literal["female", "male", "unspecified"]
Theme = Literal["light", "dark", "system"]
CustomerType = Literal["individual", "family", "corporate"]
Diet = Literal[
    "vegetarian", "vegan", "halal", "kosher", "hindu", "gluten_free", "diabetic", "low_salt", "lactose_free", "child"
]
Assistance = Literal["wheelchair", "blind", "deaf", "unaccompanied_minor", "medical", "guide_dog", "elderly"]
NotificationChannel = Literal["email", "sms", "push", "in_app"]
Relationship = Literal["spouse", "child", "parent", "sibling", "relative", "friend", "colleague", "other"]
