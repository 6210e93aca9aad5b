"""Ed25519 signatures of boarding passes, verified offline by a gate that holds the published keys.

The security data are the key id (8 characters) followed by the base64url signature (86 characters, no padding) over the
text before the security field: 94 characters, well inside the 255 the field allows.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from booking_service.documents.papers.bcbp import BoardingPassCode

_KEY_ID_LENGTH: Final = 8
_SEED_LENGTH: Final = 32


class PassSigner:
    """Signs with the first key; the others are published too, so that passes signed before a rotation stay valid."""

    def __init__(self, seeds: Sequence[str]) -> None:
        """`seeds`: base64url private keys of 32 bytes. Raises ValueError for none or a wrong length."""
        keys = [Ed25519PrivateKey.from_private_bytes(_seed(seed)) for seed in seeds]
        if not keys:
            raise ValueError("at least one boarding-pass key is needed")
        self._signing = keys[0]
        self._public = {_key_id(key.public_key()): key.public_key() for key in keys}
        self._signing_id = _key_id(self._signing.public_key())

    def sign(self, code: BoardingPassCode) -> BoardingPassCode:
        """The pass with its security field filled."""
        signature = self._signing.sign(code.signed_part().encode("ascii"))
        return code.with_security(self._signing_id + _encode(signature))

    def public_keys(self) -> list[dict[str, str]]:
        """JSON Web Keys (RFC 8037), the signing key first."""
        return [
            {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key_id, "x": _encode(_raw(key))}
            for key_id, key in self._public.items()
        ]


def is_genuine(code: BoardingPassCode, keys: Sequence[Mapping[str, str]]) -> bool:
    """What a gate does offline: find the key by its id, check the signature. False for an unknown key or none."""
    known = {key["kid"]: key for key in keys}
    key = known.get(code.security_data[:_KEY_ID_LENGTH])
    if key is None:
        return False
    try:
        public = Ed25519PublicKey.from_public_bytes(_decode(key["x"]))
        public.verify(_decode(code.security_data[_KEY_ID_LENGTH:]), code.signed_part().encode("ascii"))
    except (InvalidSignature, ValueError):
        return False
    return True


def _seed(text: str) -> bytes:
    seed = _decode(text)
    if len(seed) != _SEED_LENGTH:
        raise ValueError("a boarding-pass key is 32 bytes in base64url")
    return seed


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _key_id(key: Ed25519PublicKey) -> str:
    return _encode(hashlib.sha256(_raw(key)).digest())[:_KEY_ID_LENGTH]


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.strip() + "=" * (-len(text.strip()) % 4))
