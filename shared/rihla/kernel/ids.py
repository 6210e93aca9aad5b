"""Identifiers."""

import os
import time
from uuid import UUID

_last_millisecond = 0
_counter = 0


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): milliseconds first, so that ids of one process sort by creation and indexes grow at one end.

    Within a millisecond the twelve bits after the version count up from a random start (method 1 of section 6.2).
    """
    global _last_millisecond, _counter
    now = time.time_ns() // 1_000_000
    noise = int.from_bytes(os.urandom(10), "big")
    if now > _last_millisecond:
        _last_millisecond = now
        _counter = (noise >> 70) & 0x3FF
    else:
        _counter += 1
        if _counter > 0xFFF:
            _last_millisecond += 1
            _counter = 0
    value = (_last_millisecond & 0xFFFF_FFFF_FFFF) << 80
    value |= 0x7 << 76 | _counter << 64 | 0b10 << 62 | noise & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=value)
