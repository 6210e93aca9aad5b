"""A person's own data, companions and passports."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from auth_service.people.fields import (
    Address,
    Assistance,
    Code,
    Country,
    Currency,
    CustomerType,
    Diet,
    Email,
    FullName,
    Gender,
    LocaleTag,
    Name,
    NotificationChannel,
    Phone,
    PhotoUrl,
    Relationship,
    ShortText,
    Theme,
    TypedPassword,
)
from auth_service.people.rules import PASSPORT_NUMBER
from rihla.web import RequestModel, Schema

PassportNumber = Annotated[
    str,
    StringConstraints(to_upper=True, pattern=PASSPORT_NUMBER),
    Field(examples=["BX0123456"], description="Letters and digits as in the machine-readable zone"),
]
Username = Annotated[str, StringConstraints(min_length=3, max_length=30), Field(examples=["amina.r"])]
DATE = Field(examples=["1988-04-01"])


class VisaRequest(RequestModel):
    """Where it lets its holder in, and until which day."""

    country: Country
    expires_on: Annotated[date, Field(examples=["2027-05-01"])]


class VisaView(Schema):
    """Where it lets its holder in, and until which day."""

    country: Annotated[str, Field(examples=["SA"])]
    expires_on: date


class PassportRequest(RequestModel):
    """A passport to save; its number is encrypted at rest."""

    number: PassportNumber
    issuing_country: Country
    nationality: Country
    expires_on: Annotated[date, Field(examples=["2031-05-01"])]
    visas: list[VisaRequest] = Field(default_factory=list, max_length=5)


class PassportView(Schema):
    """A saved passport; in lists all but the last three characters of the number are hidden."""

    number: Annotated[str, Field(examples=["BX0123456"])]
    issuing_country: str
    nationality: str
    expires_on: date
    visas: list[VisaView]


class EmergencyContact(RequestModel):
    """Whom to call."""

    name: Name
    phone: Phone
    relationship: Relationship | None = None


class EmergencyContactView(Schema):
    """Whom to call."""

    name: str
    phone: str
    relationship: str | None = None


class Me(Schema):
    """The signed-in person. `email` and `phone` are verified; `pending_*` wait for their code."""

    id: UUID
    status: Literal["active", "suspended"]
    roles: Annotated[list[str], Field(examples=[["traveller"]])]
    full_name: Annotated[str, Field(examples=["Amina Rahman"])]
    email: Annotated[str | None, Field(examples=["amina@example.com"])]
    phone: Annotated[str | None, Field(examples=["+8801712345678"])]
    pending_email: str | None
    pending_phone: str | None
    username: str | None
    gender: str | None
    date_of_birth: date | None
    nationality: Annotated[str | None, Field(examples=["BD"])]
    location: Annotated[str | None, Field(examples=["Dhaka"])]
    photo_url: str | None
    locale: Annotated[str, Field(examples=["bn-BD"])]
    currency: Annotated[str, Field(examples=["BDT"])]
    theme: str
    customer_type: str
    dietary_needs: list[str]
    assistance_needs: list[str]
    emergency_contact: EmergencyContactView | None
    notification_channels: list[str]
    passport: PassportView | None
    two_factor: Annotated[bool, Field(description="Whether two-factor sign-in is on")]
    has_password: bool
    created_at: datetime
    updated_at: datetime


class MeUpdate(RequestModel):
    """Only what is sent changes; null clears what may be empty. Roles, status and ids are not a person's to change."""

    full_name: FullName | None = None
    email: Email | None = None
    phone: Phone | None = None
    username: Username | None = None
    gender: Gender | None = None
    date_of_birth: Annotated[date | None, DATE] = None
    nationality: Country | None = None
    location: ShortText | None = None
    photo_url: PhotoUrl | None = None
    locale: LocaleTag | None = None
    currency: Currency | None = None
    theme: Theme | None = None
    customer_type: CustomerType | None = None
    dietary_needs: Annotated[list[Diet] | None, Field(max_length=10)] = None
    assistance_needs: Annotated[list[Assistance] | None, Field(max_length=7)] = None
    emergency_contact: EmergencyContact | None = None
    notification_channels: Annotated[list[NotificationChannel] | None, Field(max_length=4)] = None
    passport: PassportRequest | None = None

    @model_validator(mode="after")
    def _never_empty(self) -> Self:
        for name in _NEVER_EMPTY & self.model_fields_set:
            if getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null")
        return self


_NEVER_EMPTY = frozenset(
    [
        "full_name",
        "email",
        "locale",
        "currency",
        "theme",
        "customer_type",
        "dietary_needs",
        "assistance_needs",
        "notification_channels",
    ]
)


class ContactVerifyRequest(RequestModel):
    """The new address and the six digits that came to it."""

    identifier: Address
    code: Code


class DeleteRequest(RequestModel):
    """The password, when the account has one."""

    password: TypedPassword | None = None


class UsernameAvailability(Schema):
    """Whether a user name is free."""

    username: str
    available: bool


class CompanionRequest(RequestModel):
    """Somebody to travel with."""

    given_name: Annotated[Name, Field(examples=["Karim"])]
    surname: Annotated[Name, Field(examples=["Rahman"])]
    relationship: Relationship = "other"
    date_of_birth: Annotated[date | None, DATE] = None
    gender: Gender | None = None
    frequent: Annotated[bool, Field(description="Offered first when a booking is filled in")] = False
    passport: PassportRequest | None = None


class CompanionUpdate(RequestModel):
    """Only what is sent changes; null clears date of birth, gender or passport."""

    given_name: Name | None = None
    surname: Name | None = None
    relationship: Relationship | None = None
    date_of_birth: Annotated[date | None, DATE] = None
    gender: Gender | None = None
    frequent: bool | None = None
    passport: PassportRequest | None = None

    @model_validator(mode="after")
    def _never_empty(self) -> Self:
        for name in {"given_name", "surname", "relationship", "frequent"} & self.model_fields_set:
            if getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null")
        return self


class CompanionView(Schema):
    """A travel companion."""

    id: UUID
    given_name: str
    surname: str
    relationship: str
    date_of_birth: date | None
    gender: str | None
    frequent: bool
    passport: PassportView | None
    created_at: datetime
    updated_at: datetime


class SavedTraveller(Schema):
    """What is known of somebody a booking is made for; null where nothing was saved."""

    given_name: str | None
    surname: str | None
    date_of_birth: date | None
    gender: str | None
    passport: PassportView | None
