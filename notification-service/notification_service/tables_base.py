"""The metadata of all tables of notification-service."""

from rihla.db import make_base

Base = make_base()
metadata = Base.metadata
