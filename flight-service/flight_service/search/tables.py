"""What the timetable in memory follows: a row per changed flight, written by triggers in its transaction."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    String,
    Table,
    Uuid,
    func,
    text,
)
from sqlalchemy.types import UserDefinedType

from flight_service.tables_base import metadata


class TransactionId(UserDefinedType[int]):
    """PostgreSQL's `xid8`: the 64-bit id of a transaction, which never wraps."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "xid8"


timetable_change = Table(
    "timetable_change",
    metadata,
    Column("position", BigInteger, Identity(), primary_key=True),
    Column(
        "transaction_id",
        TransactionId,
        nullable=False,
        server_default=text("pg_current_xact_id()"),
    ),
    Column(
        "kind",
        String(1),
        nullable=False,
        comment="f: a flight; r: reference data (rules, rates, airlines, places)",
    ),
    Column("flight_id", Uuid),
    Column(
        "flight_no",
        Integer,
        comment="set by changes of the flight itself, so that a deletion is understood",
    ),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
Index("ix_timetable_change_transaction_id", timetable_change.c.transaction_id)
