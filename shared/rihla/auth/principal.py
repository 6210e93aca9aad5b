"""The frozen value that says who is calling."""

from dataclasses import dataclass, field
from typing import Any, Literal, Self
from uuid import UUID

Kind = Literal["person", "partner", "service", "anonymous"]


@dataclass(frozen=True, slots=True)
class Principal:
    """A person, a partner's key, another service, or nobody in particular.

    `issuer` is the process that signed the token: `gateway` for people and partners, the caller's name for services.
    `read_only`: made to be handed on, and good for reading alone. `unpaid_bookings`: how many a partner's key may keep
    unpaid at once by its contract; None for what is usual. `second_factor_at`: when this session last proved a second
    factor, Unix seconds, 0 for never; None where two-factor sign-in is off.
    """

    kind: Kind
    issuer: str
    subject: UUID | None = None
    roles: frozenset[str] = field(default_factory=frozenset)
    session_id: UUID | None = None
    organisation_id: UUID | None = None
    key_id: UUID | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)
    test_mode: bool = False
    read_only: bool = False
    unpaid_bookings: int | None = None
    second_factor_at: int | None = None

    @property
    def user_id(self) -> UUID:
        """The user's id; only people and partner keys have one (ValueError otherwise)."""
        if self.subject is None:
            raise ValueError(f"a {self.kind} principal has no user id")
        return self.subject

    @property
    def service(self) -> str | None:
        """The calling service's name, when a service calls on its own behalf."""
        return self.issuer if self.kind == "service" else None

    def has_role(self, *roles: str) -> bool:
        """Whether the caller has one of `roles`."""
        return not self.roles.isdisjoint(roles)

    def claims(self) -> dict[str, Any]:
        """The token claims that carry this principal."""
        claims: dict[str, Any] = {"kind": self.kind}
        claims["sub"] = str(self.subject) if self.subject else self._name()
        if self.roles:
            claims["roles"] = sorted(self.roles)
        if self.scopes:
            claims["scopes"] = sorted(self.scopes)
        for claim, value in (("sid", self.session_id), ("org", self.organisation_id), ("key_id", self.key_id)):
            if value is not None:
                claims[claim] = str(value)
        for claim, flag in (("test_mode", self.test_mode), ("read_only", self.read_only)):
            if flag:
                claims[claim] = True
        numbers = {"unpaid_bookings": self.unpaid_bookings, "second_factor_at": self.second_factor_at}
        return claims | {claim: number for claim, number in numbers.items() if number is not None}

    def _name(self) -> str:
        return f"service:{self.issuer}" if self.kind == "service" else "anonymous"

    @classmethod
    def from_claims(cls, claims: dict[str, Any]) -> Self:
        """The principal of verified claims. ValueError when they make no sense together."""
        kind: Kind = claims["kind"]
        named = kind in ("person", "partner")
        if kind not in ("person", "partner", "service", "anonymous"):
            raise ValueError("unknown kind of principal")
        return cls(
            kind=kind,
            issuer=claims["iss"],
            subject=UUID(claims["sub"]) if named else None,
            roles=frozenset(claims.get("roles", ())),
            session_id=_uuid(claims.get("sid")),
            organisation_id=_uuid(claims.get("org")),
            key_id=_uuid(claims.get("key_id")),
            scopes=frozenset(claims.get("scopes", ())),
            test_mode=bool(claims.get("test_mode", False)),
            read_only=bool(claims.get("read_only", False)),
            unpaid_bookings=_count(claims.get("unpaid_bookings")),
            second_factor_at=proof_time(claims.get("second_factor_at")),
        )


def proof_time(value: object) -> int | None:
    """The claim `second_factor_at`: Unix seconds, 0 for never, None for no such claim. ValueError otherwise."""
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("not an instant of a proof")
    return value


def _count(value: object) -> int | None:
    if value is not None and (not isinstance(value, int) or value < 1):
        raise ValueError("not a number of bookings")
    return value


def _uuid(value: str | None) -> UUID | None:
    return UUID(value) if value else None
