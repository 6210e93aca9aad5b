"""What the second factor takes and gives."""

from typing import Annotated

from pydantic import Field, StringConstraints

from auth_service.people.fields import Code, TypedPassword
from rihla.web import RequestModel, Schema

SecondFactor = Annotated[
    str,
    StringConstraints(min_length=6, max_length=20),
    Field(examples=["402913"], description="Six digits of the authenticator app, or a recovery code"),
]


class MfaRequest(RequestModel):
    """The token of the first step and the second factor."""

    mfa_token: Annotated[str, StringConstraints(min_length=1, max_length=100), Field(examples=["mfa_..."])]
    code: SecondFactor


class TwoFactorStart(RequestModel):
    """The password, when the account has one: a stolen access token must not lock its owner out."""

    password: TypedPassword | None = None


class TwoFactorOffer(Schema):
    """Scan it, then confirm with the first code. Shown once."""

    secret: Annotated[str, Field(examples=["JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"])]
    otpauth_uri: Annotated[str, Field(examples=["otpauth://totp/Rihla:amina%40example.com?secret=...&issuer=Rihla"])]
    qr_code: Annotated[str, Field(description="PNG as a data URI")]


class TwoFactorConfirm(RequestModel):
    """The first code of the authenticator app."""

    code: Code


class RecoveryCodes(Schema):
    """Each is good once. Shown once."""

    recovery_codes: Annotated[list[str], Field(examples=[["k7mfa-2xq9d"]])]


class TwoFactorProof(RequestModel):
    """A second factor, to turn two-factor sign-in off or to get new recovery codes."""

    code: SecondFactor


class TwoFactorState(Schema):
    """Whether two-factor sign-in is on."""

    enabled: bool
    recovery_codes_left: int
