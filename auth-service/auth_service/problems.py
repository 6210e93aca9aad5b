"""The domain errors of auth-service and how each looks outside::

DomainError
├── TooBusy, TooManyAttempts, TooManyCodes       come back later
├── InvalidCode, InvalidCredentials, InvalidRefreshToken (RefreshTokenReused), InvalidMfaToken, InvalidApiKey
├── AccountSuspended
├── NotFound                                     nothing here, or somebody else's
├── UsernameTaken, TwoFactorAlreadyOn, TwoFactorNotOn, LastAdmin, LastWayIn, LinkedElsewhere, AddressInUse
└── OidcFailed
"""

from rihla.kernel import DomainError
from rihla.web import ProblemSpec, ProblemTable


class TooBusy(DomainError):
    """More password work waits than this process will ever do in time."""


class TooManyAttempts(DomainError):
    """Too many failed sign-ins from here."""


class TooManyCodes(DomainError):
    """Too many codes were asked for this address."""


class InvalidCode(DomainError):
    """Wrong, used, expired or never sent: the answer does not say which."""


class InvalidCredentials(DomainError):
    """Unknown user or wrong password: the answer does not say which."""


class InvalidRefreshToken(DomainError):
    """Forged, expired, or of a session that has ended."""


class RefreshTokenReused(InvalidRefreshToken):
    """A token that had been exchanged already: its whole family has been ended."""


class InvalidMfaToken(DomainError):
    """The second step has no first step behind it, or took too long."""


class InvalidApiKey(DomainError):
    """Unknown, revoked or expired."""


class AccountSuspended(DomainError):
    """The credentials were right; the account is suspended."""


class NotFound(DomainError):
    """Nothing under this id that the caller may see."""


class UsernameTaken(DomainError):
    """Somebody else has this user name."""


class TwoFactorAlreadyOn(DomainError):
    """Two-factor sign-in is on already."""


class TwoFactorNotOn(DomainError):
    """Two-factor sign-in is not on, or was not begun."""


class LastAdmin(DomainError):
    """Nobody would be left to administer."""


class LastWayIn(DomainError):
    """The account would have no way to sign in any more."""


class LinkedElsewhere(DomainError):
    """This provider's account signs in to another account here."""


class AddressInUse(DomainError):
    """An account with this address exists; its owner links the provider after signing in."""


class OidcFailed(DomainError):
    """The provider refused, or what it answered does not verify."""


class TooManyKeys(DomainError):
    """The most keys an organisation may hold are in use."""


_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="rihla"'}

problems = ProblemTable(
    {
        TooBusy: ProblemSpec(503, "too-busy", "Too many people are signing in", retry_after=2),
        TooManyAttempts: ProblemSpec(429, "too-many-attempts", "Too many failed tries", retry_after=30),
        TooManyCodes: ProblemSpec(429, "too-many-codes", "Too many codes were asked for", retry_after=600),
        InvalidCode: ProblemSpec(401, "invalid-code", "The code is not valid", headers=_CHALLENGE),
        InvalidCredentials: ProblemSpec(401, "invalid-credentials", "Sign-in failed", headers=_CHALLENGE),
        InvalidRefreshToken: ProblemSpec(401, "invalid-refresh-token", "Sign in again", headers=_CHALLENGE),
        RefreshTokenReused: ProblemSpec(
            401, "refresh-token-reused", "This session was ended for safety", headers=_CHALLENGE
        ),
        InvalidMfaToken: ProblemSpec(401, "invalid-mfa-token", "Start the sign-in again", headers=_CHALLENGE),
        InvalidApiKey: ProblemSpec(401, "invalid-api-key", "The API key is not valid", headers=_CHALLENGE),
        AccountSuspended: ProblemSpec(403, "account-suspended", "This account is suspended"),
        NotFound: ProblemSpec(404, "not-found", "There is nothing here"),
        UsernameTaken: ProblemSpec(409, "username-taken", "This user name is taken"),
        TwoFactorAlreadyOn: ProblemSpec(409, "two-factor-already-on", "Two-factor sign-in is on already"),
        TwoFactorNotOn: ProblemSpec(409, "two-factor-not-on", "Two-factor sign-in is not on"),
        LastAdmin: ProblemSpec(409, "last-admin", "One administrator must remain"),
        LastWayIn: ProblemSpec(409, "last-way-in", "This is the last way to sign in"),
        LinkedElsewhere: ProblemSpec(409, "linked-elsewhere", "That sign-in belongs to another account"),
        AddressInUse: ProblemSpec(409, "address-in-use", "Sign in and link this provider first"),
        OidcFailed: ProblemSpec(400, "oidc-failed", "Signing in with this provider failed"),
        TooManyKeys: ProblemSpec(409, "too-many-keys", "The most API keys are in use"),
    }
)
