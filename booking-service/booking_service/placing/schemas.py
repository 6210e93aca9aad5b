"""The body of POST /v1/bookings and POST /v1/booking-quotes."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, EmailStr, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from booking_service.bookings.errors import InvalidRequest
from booking_service.bookings.schemas import PassengerType, Price, Slice
from booking_service.placing.order import ChosenExtra, ChosenSeat, Order, Passport, Traveller, Visa
from booking_service.placing.saved_traveller import SavedPassport, SavedTraveller
from booking_service.placing.ssr import SSR_CODES
from rihla.kernel import new_id
from rihla.web import MoneyModel, RequestModel, Schema

_E164 = re.compile(r"^\+[1-9]\d{6,14}$")
_PASSPORT = re.compile(r"^[A-Z0-9]{5,20}$")


def _phone(value: str) -> str:
    compact = re.sub(r"[\s()-]", "", value)
    if not _E164.match(compact):
        raise ValueError("must be a phone number in international form, such as +8801712345678")
    return compact


def _passport_number(value: str) -> str:
    upper = value.upper().replace(" ", "")
    if not _PASSPORT.match(upper):
        raise ValueError("must be 5 to 20 letters and digits")
    return upper


def _country(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", value):
        raise ValueError("must be a two-letter country code (ISO 3166)")
    return value.upper()


def _ssr(value: str) -> str:
    if value.upper() not in SSR_CODES:
        raise ValueError(f"is not a special service request we know: one of {', '.join(sorted(SSR_CODES))}")
    return value.upper()


Phone = Annotated[str, Field(max_length=30, examples=["+8801712345678"]), AfterValidator(_phone)]
Country = Annotated[str, Field(examples=["BD"]), AfterValidator(_country)]
PassportNumber = Annotated[str, Field(max_length=30, examples=["BX0123456"]), AfterValidator(_passport_number)]
SsrCode = Annotated[str, Field(max_length=4, examples=["MOML"]), AfterValidator(_ssr)]
Designator = Annotated[str, Field(pattern=r"^[1-9][0-9]?[A-Z]$", examples=["12A"])]


class ContactRequest(RequestModel):
    """Where confirmation and changes are sent."""

    email: EmailStr = Field(max_length=254, examples=["a@example.com"])
    phone: Phone | None = None
    locale: str = Field(
        default="en", max_length=16, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", examples=["en", "bn"]
    )


class PassportRequest(RequestModel):
    number: PassportNumber
    issuing_country: Country
    nationality: Country
    expires_on: date = Field(examples=["2031-05-01"])


class VisaRequest(RequestModel):
    """Its holder is reminded when it ends before the journey does; no flight asks for one at booking."""

    country: Country
    expires_on: date = Field(examples=["2027-05-01"])

    def visa(self) -> Visa:
        """As a plain value."""
        return Visa(country=self.country, expires_on=self.expires_on)


class SeatRequest(RequestModel):
    flight_id: UUID
    designator: Designator


class ExtraRequest(RequestModel):
    """An ancillary by the code the offer's `services` gives it; without a flight it is for every segment."""

    code: str = Field(min_length=1, max_length=32, examples=["bag-20"])
    flight_id: UUID | None = None
    quantity: int = Field(default=1, ge=1, le=9)


class PassengerContactRequest(RequestModel):
    email: EmailStr | None = Field(default=None, max_length=254)
    phone: Phone | None = None


class PassengerRequest(RequestModel):
    """One traveller. Two with the same name are two."""

    companion_id: UUID | None = Field(
        default=None,
        description="A companion of yours (`/v1/me/companions`), or your own account id: names, date of birth, gender, "
        "passport and visas that are not sent are filled in from what you saved; a profile saves no names of yourself",
    )
    type: PassengerType = "adult"
    title: Literal["mr", "mrs", "ms", "miss", "mx", "dr", "mstr", "prof"] | None = Field(default=None, examples=["ms"])
    given_name: str | None = Field(default=None, max_length=200, examples=["Amina"], validate_default=True)
    surname: str | None = Field(default=None, max_length=200, examples=["Rahman"], validate_default=True)
    date_of_birth: date | None = Field(default=None, examples=["1988-04-01"], validate_default=True)
    gender: Literal["female", "male", "unspecified", "undisclosed"] | None = Field(default=None, examples=["female"])
    passport: PassportRequest | None = None
    visas: list[VisaRequest] = Field(default_factory=list, max_length=5)
    contact: PassengerContactRequest | None = None
    seats: list[SeatRequest] = Field(default_factory=list, max_length=24)
    seat_preference: Literal["window", "aisle", "middle"] | None = None
    ssr: list[SsrCode] = Field(default_factory=list, max_length=8)
    extra_bags: int = Field(default=0, ge=0, le=9)
    extras: list[ExtraRequest] = Field(default_factory=list, max_length=20)

    @field_validator("given_name", "surname", "date_of_birth")
    @classmethod
    def _said_or_saved(cls, value: str | date | None, info: ValidationInfo) -> str | date | None:
        if value is None and info.data.get("companion_id") is None:
            raise PydanticCustomError("missing", "Field required")
        return value

    def traveller(self, at: str, saved: SavedTraveller) -> Traveller:
        """As a plain value, with an id of its own; `saved` fills what was not sent.

        Raises InvalidRequest, pointing below `at`, where a ticket needs more than that.
        """
        given_name = saved.given_name if self.given_name is None else self.given_name
        surname = saved.surname if self.surname is None else self.surname
        born = self.date_of_birth or saved.date_of_birth
        if given_name is None or surname is None or born is None:
            said = {"given_name": given_name, "surname": surname, "date_of_birth": born}
            message = "Nothing was saved for this; a ticket needs it."
            raise InvalidRequest(*[(f"{at}/{name}", "missing", message) for name in said if said[name] is None])
        return Traveller(
            id=new_id(),
            type=self.type,
            title=self.title,
            given_name=given_name,
            surname=surname,
            date_of_birth=born,
            gender=self.gender if "gender" in self.model_fields_set else saved.gender,
            passport=self._passport(saved.passport),
            visas=self._visas(saved.passport),
            email=self.contact.email if self.contact else None,
            phone=self.contact.phone if self.contact else None,
            seats=tuple(ChosenSeat(flight_id=one.flight_id, designator=one.designator) for one in self.seats),
            seat_preference=self.seat_preference,
            ssr=tuple(dict.fromkeys(self.ssr)),
            extra_bags=self.extra_bags,
            extras=tuple(
                ChosenExtra(code=one.code, flight_id=one.flight_id, quantity=one.quantity) for one in self.extras
            ),
        )

    def _passport(self, saved: SavedPassport | None) -> Passport | None:
        one = self.passport if "passport" in self.model_fields_set else saved
        if one is None:
            return None
        return Passport(
            number=one.number,
            issuing_country=one.issuing_country,
            nationality=one.nationality,
            expires_on=one.expires_on,
        )

    def _visas(self, saved: SavedPassport | None) -> tuple[Visa, ...]:
        if "visas" in self.model_fields_set or saved is None:
            return tuple(one.visa() for one in self.visas)
        return saved.visas


_NOTHING = SavedTraveller()
MetadataValue = Annotated[str, Field(max_length=500)]
MetadataKey = Annotated[str, Field(min_length=1, max_length=40)]

_EXAMPLE: dict[str, Any] = {
    "offer_id": "of_1a2b3c",
    "contact": {"email": "a@example.com", "phone": "+8801712345678"},
    "promo_code": None,
    "metadata": {},
    "passengers": [
        {
            "type": "adult",
            "title": "ms",
            "given_name": "Amina",
            "surname": "Rahman",
            "date_of_birth": "1988-04-01",
            "gender": "female",
            "passport": {
                "number": "BX0123456",
                "issuing_country": "BD",
                "nationality": "BD",
                "expires_on": "2031-05-01",
            },
            "seats": [{"flight_id": "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c11", "designator": "12A"}],
            "seat_preference": "window",
            "ssr": ["MOML"],
            "extra_bags": 0,
        }
    ],
}


class BookingRequest(RequestModel):
    """An offer, who travels, and how to reach them."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    offer_id: str = Field(min_length=1, max_length=4096)
    contact: ContactRequest
    passengers: list[PassengerRequest] = Field(max_length=100, description="1 to 10, lap infants included")
    promo_code: str | None = Field(default=None, min_length=1, max_length=40)
    subscription_id: UUID | None = Field(
        default=None, description="A plan of yours that pays with its rides; one passenger, no promo code"
    )
    metadata: dict[MetadataKey, MetadataValue] = Field(
        default_factory=dict, max_length=50, description="A partner's own notes, kept and given back as they are"
    )

    def order(self, saved: Mapping[UUID, SavedTraveller]) -> Order:
        """As a plain value; `saved` by companion. Raises InvalidRequest where a ticket needs more than is known."""
        return Order(
            offer_id=self.offer_id,
            travellers=tuple(
                one.traveller(
                    f"#/passengers/{index}", _NOTHING if one.companion_id is None else saved[one.companion_id]
                )
                for index, one in enumerate(self.passengers)
            ),
            contact_email=self.contact.email,
            contact_phone=self.contact.phone,
            locale=self.contact.locale,
            promo_code=self.promo_code.strip().upper() if self.promo_code else None,
            subscription_id=self.subscription_id,
            metadata=self.metadata,
        )


class BookingQuote(Schema):
    """What the booking would cost now; nothing is held."""

    offer_id: str
    total: MoneyModel
    price: Price
    slices: list[Slice]
    promo_code: str | None
    discount: MoneyModel
    notes: list[str]
