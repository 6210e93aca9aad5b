"""The declarative base of a service, with names for constraints that migrations can rely on."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, MetaData, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase

_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def make_base() -> type[DeclarativeBase]:
    """A declarative base of its own metadata: one for each service, holding all its tables."""

    class Base(DeclarativeBase):
        metadata = MetaData(naming_convention=_NAMING)
        type_annotation_map: ClassVar[dict[Any, Any]] = {
            datetime: DateTime(timezone=True),
            UUID: Uuid(as_uuid=True),
            dict[str, Any]: JSONB,
            list[Any]: JSONB,
        }

    return Base
