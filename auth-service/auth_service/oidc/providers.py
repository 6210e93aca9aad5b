"""Providers by configuration: any OpenID Connect issuer, with presets for the well-known ones."""

import json
import re
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, SecretStr, model_validator

_NAME = re.compile(r"^[a-z][a-z0-9-]{0,39}$")

# What differs from plain OpenID Connect discovery. `trusted_email`: the provider proves an address before it calls it
# verified, so a verified address may be joined with the account that has it.
PRESETS: dict[str, dict[str, Any]] = {
    "google": {"issuer": "https://accounts.google.com", "scopes": "openid email profile", "trusted_email": True},
    "apple": {
        "issuer": "https://appleid.apple.com",
        "scopes": "openid name email",
        # Apple sends name and address only in a form, and only the first time.
        "response_mode": "form_post",
        "trusted_email": True,
    },
    "facebook": {
        "issuer": "https://www.facebook.com",
        "scopes": "openid email public_profile",
        # Facebook's discovery document names no token endpoint.
        "token_endpoint": "https://graph.facebook.com/oauth/access_token",
        "discovery_url": "https://www.facebook.com/.well-known/openid-configuration/",
    },
}


class SigningClientSecret(BaseModel):
    """Apple's way: the client secret is a JWT signed with the developer's own key."""

    model_config = ConfigDict(frozen=True)

    team_id: str
    key_id: str
    private_key: SecretStr


class Provider(BaseModel):
    """One provider as settings describe it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    issuer: str
    client_id: str
    client_secret: SecretStr = SecretStr("")
    signing_secret: SigningClientSecret | None = None
    scopes: str = "openid email profile"
    response_mode: Literal["query", "form_post"] = "query"
    trusted_email: bool = False
    discovery_url: str = ""
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    jwks_uri: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not _NAME.match(self.name):
            raise ValueError("a provider's name has lower-case letters, digits and dashes")
        if "openid" not in self.scopes.split():
            raise ValueError("the scope openid is needed")
        return self

    @property
    def discovery(self) -> str:
        """Where the provider describes itself (OpenID Connect Discovery 1.0, section 4)."""
        return self.discovery_url or self.issuer.rstrip("/") + "/.well-known/openid-configuration"


def read_providers(text: str) -> dict[str, Provider]:
    """`{"google": {"client_id": ..., "client_secret": ...}, "work": {"issuer": ..., ...}}`. ValueError when malformed.

    A preset is taken by the name, or by `"preset"`.
    """
    providers = {}
    for name, given in json.loads(text or "{}").items():
        own = dict(given)
        preset = PRESETS.get(own.pop("preset", name), {})
        providers[name] = Provider(name=name, **{**preset, **own})
    return providers
