"""The published keys and the token pair."""

from typing import Annotated, Literal

from pydantic import Field

from rihla.web import Schema


class PublicKey(Schema):
    """A public key (RFC 7517)."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: str
    y: str
    kid: str
    use: Literal["sig"]
    alg: Literal["ES256"]


class JsonWebKeySet(Schema):
    """The keys that access tokens verify with; two or more while keys rotate."""

    keys: list[PublicKey]


class SteppedUpToken(Schema):
    """An access token that says the second factor was proved just now. The refresh token stays as it is."""

    access_token: Annotated[str, Field(description="JWT for `Authorization: Bearer`, good for `expires_in` seconds")]
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: Annotated[int, Field(examples=[600], description="Seconds")]


class TokenPair(Schema):
    """A short access token and the refresh token that gets the next one."""

    access_token: Annotated[str, Field(description="JWT for `Authorization: Bearer`, good for `expires_in` seconds")]
    refresh_token: Annotated[str, Field(examples=["rt_AZq2..."], description="Rotates at each use; good for 30 days")]
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: Annotated[int, Field(examples=[600], description="Seconds")]
