"""Every check, in the order a reader wants them."""

from rihla_verifier.checks.bookings import BOOKINGS
from rihla_verifier.checks.chats import CHATS
from rihla_verifier.checks.messages import MESSAGES
from rihla_verifier.checks.money import MONEY
from rihla_verifier.checks.seats import SEATS

ALL = (*SEATS, *BOOKINGS, *MONEY, *MESSAGES, *CHATS)
