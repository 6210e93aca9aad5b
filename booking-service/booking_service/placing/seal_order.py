"""Seal the passports of an order before anything of it is stored."""

from dataclasses import replace

from booking_service.bookings.sealed_passport import masked, seal
from booking_service.placing.order import Order, Traveller
from rihla.encryption import DataCipher


def sealed_order(cipher: DataCipher, order: Order) -> Order:
    """The order with every passport's number sealed and masked; the same order when there is none left to seal.

    A draft stored before numbers were sealed comes through here again when it is driven on.
    """
    if all(one.passport is None or one.passport.sealed for one in order.travellers):
        return order
    return replace(order, travellers=tuple(_sealed(cipher, one) for one in order.travellers))


def _sealed(cipher: DataCipher, one: Traveller) -> Traveller:
    passport = one.passport
    if passport is None or passport.sealed:
        return one
    closed = replace(passport, number=masked(passport.number), sealed=seal(cipher, passport.number, one.id))
    return replace(one, passport=closed)
