"""Everything a service's web application has in common."""

from rihla.web.app import build_app, build_worker, container
from rihla.web.paging import InvalidCursor, Page, PageParams, decode_cursor, encode_cursor
from rihla.web.problems import (
    ProblemSpec,
    ProblemTable,
    ValidationFailed,
    problem_responses,
)
from rihla.web.schemas import MoneyModel, RequestModel, Schema

__all__ = [
    "InvalidCursor",
    "MoneyModel",
    "Page",
    "PageParams",
    "ProblemSpec",
    "ProblemTable",
    "RequestModel",
    "Schema",
    "ValidationFailed",
    "build_app",
    "build_worker",
    "container",
    "decode_cursor",
    "encode_cursor",
    "problem_responses",
]
