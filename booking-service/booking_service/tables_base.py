"""The declarative base, and so the one metadata, of all tables of booking-service."""

from rihla.db import make_base

Base = make_base()
metadata = Base.metadata
