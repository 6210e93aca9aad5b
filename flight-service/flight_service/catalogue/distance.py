"""Distances on the sphere. Pure."""

from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS_KM = 6_371.0


def distance_km(latitude_a: float, longitude_a: float, latitude_b: float, longitude_b: float) -> int:
    """Great-circle distance in whole kilometres."""
    a, b = radians(latitude_a), radians(latitude_b)
    half = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(radians(longitude_b - longitude_a) / 2) ** 2
    return round(2 * EARTH_RADIUS_KM * asin(sqrt(half)))
