"""The metadata of all tables of chat-service."""

from rihla.db import make_base

Base = make_base()
metadata = Base.metadata
