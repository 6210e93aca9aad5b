"""Booking references (record locators) and e-ticket numbers."""

import secrets

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""A-Z and 2-9 without I and O: nothing that is misread from a screen or a phone."""


def new_reference() -> str:
    """Six random characters (a thousand million combinations); uniqueness is the database's word."""
    bits = int.from_bytes(secrets.token_bytes(4), "big")
    return "".join(ALPHABET[bits >> shift & 31] for shift in range(0, 30, 5))


def e_ticket_number(accounting_code: str, serial: int) -> str:
    """Thirteen digits: the airline's accounting code, then ten of the document (IATA Resolution 722f).

    ValueError when the parts do not make thirteen digits.
    """
    number = f"{accounting_code:0>3}{serial:010d}"
    if len(number) != 13 or not number.isdigit():
        raise ValueError("an e-ticket number is an accounting code of three digits and a serial of ten")
    return number
