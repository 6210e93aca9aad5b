"""The metadata of this service's database; `tables_all` imports every module that adds a table to it."""

from typing import Final

from sqlalchemy import MetaData

from rihla.db import make_base

metadata: Final[MetaData] = make_base().metadata
