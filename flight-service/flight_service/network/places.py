"""All airports with an IATA code, their countries and city groups, from the open `airportsdata` set (MIT)."""

from typing import Any

import airportsdata
from babel import Locale

from flight_service.catalogue.place_names import search_text
from flight_service.network.airlines import AIRLINES
from flight_service.network.routes import network_airports

# Areas the data set has no entry for, or one that misses an airport people count in.
_MORE_AREAS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "NYC": ("New York", "US", ("EWR",)),
    "LON": ("London", "GB", ("SEN",)),
    "PAR": ("Paris", "FR", ("BVA",)),
    "WAS": ("Washington", "US", ("BWI",)),
    "BAK": ("Baku", "AZ", ("GYD",)),
    "JNB": ("Johannesburg", "ZA", ("JNB",)),
}
# Airports that give domestic or international travellers longer, or shorter, to change flights.
_MIN_CONNECTION = {
    "LHR": (75, 105),
    "JFK": (75, 120),
    "DXB": (60, 75),
    "SIN": (50, 60),
    "IST": (60, 75),
    "CDG": (75, 105),
}


def countries() -> list[tuple[str, str]]:
    """(ISO 3166 code, English name) of every country that has an airport."""
    names = Locale("en").territories
    codes = {entry["country"] for entry in airportsdata.load("IATA").values()}
    return sorted((code, str(names.get(code, code))) for code in codes)


def city_groups() -> list[tuple[str, str, str]]:
    """(IATA area code, name, country)."""
    groups = {code: (area["name"], area["country"]) for code, area in airportsdata.load_iata_macs().items()}
    groups |= {code: (name, country) for code, (name, country, _) in _MORE_AREAS.items()}
    return sorted((code, name, country) for code, (name, country) in groups.items())


def airports() -> list[dict[str, Any]]:
    """One row of `airport` for each."""
    group_of = _groups_by_airport()
    weights = _weights()
    rows = []
    for iata, entry in sorted(airportsdata.load("IATA").items()):
        connection = _MIN_CONNECTION.get(iata, (None, None))
        city = entry["city"] or entry["name"]
        rows.append(
            {
                "iata": iata,
                "icao": entry["icao"] or None,
                "name": entry["name"],
                "city": city,
                "subdivision": entry["subd"] or "",
                "country": entry["country"],
                "city_code": group_of.get(iata),
                "latitude": float(entry["lat"]),
                "longitude": float(entry["lon"]),
                "time_zone": entry["tz"],
                "min_connection_domestic": connection[0],
                "min_connection_international": connection[1],
                "weight": weights.get(iata, 10 if "international" in entry["name"].lower() else 0),
                "search_text": search_text(iata, city, entry["name"], entry["subd"] or "", group_of.get(iata)),
            }
        )
    return rows


def _groups_by_airport() -> dict[str, str]:
    groups = {iata: code for code, area in airportsdata.load_iata_macs().items() for iata in area["airports"]}
    return groups | {iata: code for code, (_, _, members) in _MORE_AREAS.items() for iata in members}


def _weights() -> dict[str, int]:
    weights = dict.fromkeys(network_airports(), 50)
    weights |= {code: 70 for airline in AIRLINES for code in airline.trunks}
    return weights | {airline.hub: 100 for airline in AIRLINES}
