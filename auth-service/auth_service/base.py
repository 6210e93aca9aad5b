"""The declarative base that all tables of this service share."""

from typing import TYPE_CHECKING

from rihla.db import make_base

if TYPE_CHECKING:
    from sqlalchemy.orm import DeclarativeBase as Base
else:
    Base = make_base()

__all__ = ["Base"]
