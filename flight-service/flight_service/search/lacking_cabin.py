"""Say when a search found nothing because the aircraft that fly there have no such cabin. Pure, over the timetable."""

from flight_service.catalogue.layout import CABINS, Cabin
from flight_service.search.journeys import day_window
from flight_service.search.network import Network
from flight_service.search.query import Query, SliceWanted
from flight_service.search.reference import Reference
from flight_service.search.timetable import Timetable
from rihla.web.problems import ValidationFailed


def refuse_lacking_cabin(table: Timetable, network: Network, reference: Reference, query: Query, pointer: str) -> None:
    """Raise ValidationFailed if a slice's direct flights all lack the cabin asked for, sold out or not.

    Asked only when nothing was found: where nobody flies directly, or seats are merely gone, an empty page says it.
    """
    for part in query.slices:
        flights = _direct(network, reference, part)
        cabins = [cabin for index, cabin in enumerate(CABINS) if any(table.capacity[index][slot] for slot in flights)]
        if flights and query.cabin not in cabins:
            raise _lacking(query.cabin, part, cabins, pointer)


def _direct(network: Network, reference: Reference, part: SliceWanted) -> list[int]:
    """Slots of the direct flights of the days asked for."""
    found: list[int] = []
    for origin in part.origins if part.days else ():
        zone = reference.airports[origin].zone
        first, last = day_window(zone, part.days[0])[0], day_window(zone, part.days[-1])[1]
        for destination in part.destinations:
            route = network.route(origin, destination)
            if route is not None:
                begin, end = network.departures.keys.searchsorted([route << 32 | first, route << 32 | last]).tolist()
                found += network.departures.slots[begin:end].tolist()
    return found


def _lacking(cabin: Cabin, part: SliceWanted, cabins: list[Cabin], pointer: str) -> ValidationFailed:
    name = cabin.replace("_", " ")
    sold = ", ".join(other.replace("_", " ") for other in cabins) or "none on sale"
    ends = f"from {' or '.join(part.origins)} to {' or '.join(part.destinations)}"
    message = f"No aircraft that flies {ends} then has a {name} cabin; there is: {sold}."
    return ValidationFailed({"pointer": pointer, "code": "cabin-not-on-aircraft", "message": message}, detail=message)
