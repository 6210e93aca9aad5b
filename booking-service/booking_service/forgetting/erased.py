"""How a booking whose person was forgotten is told from others, and which bookings may be."""

ERASED_EMAIL = "erased@erased.invalid"
ENDED = "('expired', 'cancelled', 'completed', 'refused')"
"""For SQL: the states after which the personal data of a booking are of no use to anybody."""
