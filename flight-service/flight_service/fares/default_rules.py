"""The rule set and rates a new database starts with; the service's README tells how a price is made of them."""

from typing import Any

_ALL_CABINS = ("economy", "premium_economy", "business", "first")


def _by_cabin(*values: Any) -> dict[str, Any]:
    return dict(zip(_ALL_CABINS, values, strict=True))


def _airport_tax(code: str, name: str, place: str, at: str, minor: int, **more: Any) -> dict[str, Any]:
    return {
        "code": code,
        "name": name,
        "place": place,
        "at": at,
        "journeys": "all",
        "amount_minor": minor,
        "exempt": ["infant"],
        **more,
    }


DEFAULT_RULES: dict[str, Any] = {
    "brands": {
        "basic": {
            "multiplier": 9_000,
            "changeable": False,
            "refundable": False,
            "change_fee_minor": 0,
            "seat_choice": "paid",
            "seat_price_factor": 10_000,
            "checked_kg": _by_cabin(0, 20, 30, 40),
            "cabin_kg": _by_cabin(7, 10, 14, 14),
            "fare_class": _by_cabin("K", "E", "D", "A"),
            "refund_brackets": [{"hours_before": 0, "fee_percent": 100}],
        },
        "standard": {
            "multiplier": 10_000,
            "changeable": True,
            "refundable": True,
            "change_fee_minor": 5_000,
            "seat_choice": "paid",
            "seat_price_factor": 5_000,
            "checked_kg": _by_cabin(20, 25, 40, 50),
            "cabin_kg": _by_cabin(7, 10, 14, 14),
            "fare_class": _by_cabin("M", "P", "C", "R"),
            "refund_brackets": [
                {"hours_before": 168, "fee_percent": 10},
                {"hours_before": 48, "fee_percent": 25},
                {"hours_before": 4, "fee_percent": 50},
                {"hours_before": 0, "fee_percent": 100},
            ],
        },
        "flex": {
            "multiplier": 12_800,
            "changeable": True,
            "refundable": True,
            "change_fee_minor": 0,
            "seat_choice": "free",
            "seat_price_factor": 0,
            "checked_kg": _by_cabin(30, 35, 40, 50),
            "cabin_kg": _by_cabin(7, 10, 14, 14),
            "fare_class": _by_cabin("Y", "W", "J", "F"),
            "refund_brackets": [{"hours_before": 0, "fee_percent": 0}],
        },
    },
    "passenger_types": {
        "adult": {"factor": 10_000},
        "child": {"factor": 7_500},
        "infant": {"factor": 1_000},
        "senior": {"factor": 10_000, "off": 1_000},
        "student": {"factor": 10_000, "off": 800},
    },
    # [percent of the cabin taken, multiplier], [whole days to departure, multiplier]
    "load_steps": [[0, 9_200], [30, 10_000], [50, 10_800], [70, 12_200], [85, 14_000], [95, 16_000]],
    "day_steps": [[0, 14_500], [3, 13_000], [7, 11_500], [14, 10_500], [30, 10_000], [90, 9_700]],
    "discounts": {
        "early_bird": {"days": 60, "off": 500},
        "last_minute": {"hours": 48, "max_load": 40, "off": 2_000},
        "group": {"size": 6, "off": 500},
        "cap": 5_000,
    },
    "taxes": [
        _airport_tax(
            "GB",
            "Air Passenger Duty",
            "GB",
            "departure",
            1_650,
            premium_multiplier=20_000,
            exempt=["infant", "child"],
            journeys="international",
        ),
        _airport_tax("UB", "Passenger Service Charge", "GB", "departure", 2_400),
        _airport_tax("US", "Transportation Tax International", "US", "departure", 2_240, journeys="international"),
        _airport_tax("YC", "Customs User Fee", "US", "arrival", 720, journeys="international"),
        _airport_tax("ZP", "Flight Segment Tax", "US", "departure", 520, journeys="domestic"),
        _airport_tax("AY", "September 11 Security Fee", "US", "departure", 560, exempt=[]),
        _airport_tax("BD", "Embarkation Fee", "BD", "departure", 1_000),
        _airport_tax(
            "OW", "Excise Duty Travel", "BD", "departure", 3_300, journeys="international", premium_multiplier=15_000
        ),
        _airport_tax("AE", "Passenger Service Charge", "AE", "departure", 2_040),
        _airport_tax("ZR", "Security and Safety Charge", "AE", "departure", 140, exempt=[]),
        _airport_tax("SA", "Airport Building Charge", "SA", "departure", 2_320),
        _airport_tax("DE", "Air Transport Tax", "DE", "departure", 1_580, premium_multiplier=10_000),
        _airport_tax("FR", "Solidarity Tax", "FR", "departure", 790, premium_multiplier=30_000),
        _airport_tax("IN", "User Development Fee", "IN", "departure", 900),
        {
            "code": "K3",
            "name": "Goods and Services Tax",
            "place": "IN",
            "at": "departure",
            "journeys": "domestic",
            "percent": 500,
            "exempt": [],
            "refund_class": "fare",
        },
        _airport_tax("SG", "Passenger Service and Security Fee", "SG", "departure", 4_600),
        _airport_tax(
            "AU",
            "Passenger Movement Charge",
            "AU",
            "departure",
            4_500,
            journeys="international",
            exempt=["infant", "child"],
        ),
        _airport_tax("SW", "Passenger Facility Charge", "JP", "departure", 1_950),
        _airport_tax("EG", "Departure Tax", "EG", "departure", 2_500),
        _airport_tax("TR", "Airport Service Charge", "TR", "departure", 1_700),
        _airport_tax("XF", "Passenger Facility Charge", "JFK", "departure", 450),
        _airport_tax("XA", "Airport Improvement Fee", "*", "departure", 600),
        {
            "code": "YQ",
            "name": "Carrier surcharge",
            "place": "*",
            "at": "departure",
            "journeys": "international",
            "amount_minor": 1_200,
            "exempt": ["infant"],
            "kind": "charge",
            "refund_class": "fare",
        },
    ],
    "seats": {
        "prices": {"standard": 900, "preferred": 1_600, "exit_row": 2_600, "extra_legroom": 3_200},
        # [kilometres, multiplier]: also of extras sold by distance
        "distance_steps": [[0, 10_000], [1_500, 15_000], [4_000, 25_000]],
    },
    "extras": [
        {
            "code": f"bag-{kg}",
            "name": f"Checked baggage, {kg} kg",
            "kind": "bag",
            "amount_minor": minor,
            "by_distance": True,
            "max_quantity": 3,
            "kg": kg,
        }
        for kg, minor in ((3, 600), (5, 900), (10, 1_600), (15, 2_200), (20, 2_800), (30, 3_900))
    ]
    + [
        {
            "code": "meal-standard",
            "name": "Hot meal",
            "kind": "meal",
            "amount_minor": 1_200,
            "by_distance": False,
            "max_quantity": 2,
        },
        {
            "code": "meal-halal",
            "name": "Halal meal (MOML)",
            "kind": "meal",
            "amount_minor": 1_200,
            "by_distance": False,
            "max_quantity": 2,
        },
        {
            "code": "meal-vegetarian",
            "name": "Vegetarian meal (VGML)",
            "kind": "meal",
            "amount_minor": 1_200,
            "by_distance": False,
            "max_quantity": 2,
        },
        {
            "code": "meal-child",
            "name": "Child's meal (CHML)",
            "kind": "meal",
            "amount_minor": 900,
            "by_distance": False,
            "max_quantity": 2,
        },
        {
            "code": "priority-boarding",
            "name": "Priority boarding",
            "kind": "service",
            "amount_minor": 1_000,
            "by_distance": False,
            "max_quantity": 1,
        },
        {
            "code": "lounge",
            "name": "Lounge at the departure airport",
            "kind": "service",
            "amount_minor": 3_900,
            "by_distance": False,
            "max_quantity": 1,
        },
        {
            "code": "wifi",
            "name": "Wi-Fi on board",
            "kind": "service",
            "amount_minor": 800,
            "by_distance": True,
            "max_quantity": 1,
        },
    ],
    "max_extra_kg": 30,
}

DEFAULT_RATES: dict[str, str] = {
    "USD": "1",
    "EUR": "0.92",
    "GBP": "0.79",
    "BDT": "119.5",
    "INR": "84.4",
    "PKR": "278",
    "SAR": "3.75",
    "AED": "3.6725",
    "KWD": "0.3072",
    "EGP": "49.3",
    "TRY": "34.5",
    "JPY": "154",
    "SGD": "1.34",
    "MYR": "4.46",
    "AUD": "1.54",
    "CAD": "1.4",
}
"""Units for one USD on the day the seed was written; admins load new ones."""
