"""The one table of what each role may do in auth-service. Roles: traveller, partner, support, admin."""

from typing import Final, Literal

Role = Literal["traveller", "partner", "support", "admin"]
Permission = Literal[
    "profile.own", "api_keys.own", "users.read", "users.suspend", "users.roles", "audit.read", "organisations.write"
]

ROLES: Final[tuple[Role, ...]] = ("traveller", "partner", "support", "admin")

PERMISSIONS: Final[dict[Role, frozenset[Permission]]] = {
    "traveller": frozenset({"profile.own"}),
    "partner": frozenset({"profile.own", "api_keys.own"}),
    "support": frozenset({"profile.own", "users.read"}),
    "admin": frozenset(
        {"profile.own", "users.read", "users.suspend", "users.roles", "audit.read", "organisations.write"}
    ),
}


def roles_with(permission: Permission) -> tuple[Role, ...]:
    """Every role that holds `permission`."""
    return tuple(role for role in ROLES if permission in PERMISSIONS[role])
