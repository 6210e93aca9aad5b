"""Calls to other services."""

from rihla.http.breaker import Breaker
from rihla.http.client import ServiceClient, problem_code
from rihla.http.errors import UpstreamUnavailable

__all__ = ["Breaker", "ServiceClient", "UpstreamUnavailable", "problem_code"]
