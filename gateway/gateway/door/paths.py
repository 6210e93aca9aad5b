"""Which request paths are taken at their word.

Services decode percent signs and collapse nothing; the gateway must therefore read a path exactly as they will.
Whatever could be read in two ways (`//`, `..;`, `%2e`, `%2f`, a back-slash, a semicolon, a control character) is
refused outright, and encoded letters are decoded before a route is looked for, so that `/%69nternal` is `/internal`
(RFC 3986, section 6.2.2).
"""

from __future__ import annotations

import re

_SEGMENT_START = rb"[A-Za-z0-9_~!$&'()*+,=:@\-]"
_SEGMENT_REST = rb"[A-Za-z0-9_.~!$&'()*+,=:@\-]"
_PLAIN = re.compile(rb"(?:/" + _SEGMENT_START + _SEGMENT_REST + rb"*)+/?")
_ENCODED = re.compile(rb"(?:/(?:" + _SEGMENT_START + rb"|%[0-9A-F]{2})(?:" + _SEGMENT_REST + rb"|%[0-9A-F]{2})*)+/?")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~")
_TWO_READINGS = frozenset(b"./\\%;\x7f") | frozenset(range(0x20))
_WELL_KNOWN = b"/.well-known/"


class UnclearPath(Exception):
    """The path can be read in more than one way, or is no path at all."""


def clean_path(raw: bytes) -> bytes:
    """The path a service would see, percent-encoded in one canonical way. Raises `UnclearPath`."""
    if _PLAIN.fullmatch(raw) or raw == b"/":
        return raw
    if raw.startswith(_WELL_KNOWN) and _PLAIN.fullmatch(raw[len(_WELL_KNOWN) - 1 :]):
        return raw
    if b"%" not in raw:
        raise UnclearPath
    decoded = _ESCAPE.sub(_canonical, raw)
    if not _ENCODED.fullmatch(decoded):
        raise UnclearPath
    return decoded


def _canonical(escape: re.Match[bytes]) -> bytes:
    byte = int(escape.group(1), 16)
    if byte in _TWO_READINGS:
        raise UnclearPath
    if byte in _UNRESERVED:
        return bytes((byte,))
    return b"%%%02X" % byte
