"""The metadata all tables of this service share."""

from rihla.db import make_base

Base = make_base()
metadata = Base.metadata
