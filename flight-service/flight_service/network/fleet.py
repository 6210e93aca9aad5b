"""Aircraft types of the seeded network. Layouts are read by catalogue/layout.py."""

from typing import Any

AIRCRAFT: tuple[dict[str, Any], ...] = (
    {
        "code": "AT7",
        "name": "ATR 72-600",
        "manufacturer": "ATR",
        "cruise_kmh": 500,
        "turnaround_minutes": 30,
        "layout": {
            "cabins": [
                {
                    "cabin": "economy",
                    "rows": [1, 18],
                    "letters": "AC DF",
                    "exit_rows": [1, 18],
                    "bassinet_rows": [2],
                    "extra_legroom_rows": [1],
                    "preferred_rows": [2, 3],
                    "missing": ["18D", "18F"],
                }
            ]
        },
    },
    {
        "code": "32N",
        "name": "A320neo",
        "manufacturer": "Airbus",
        "cruise_kmh": 830,
        "turnaround_minutes": 45,
        "layout": {
            "cabins": [
                {"cabin": "business", "rows": [1, 3], "letters": "AC DF", "bassinet_rows": [1], "preferred_rows": [1]},
                {
                    "cabin": "economy",
                    "rows": [4, 29],
                    "skip_rows": [13],
                    "letters": "ABC DEF",
                    "exit_rows": [11, 12],
                    "bassinet_rows": [4],
                    "extra_legroom_rows": [4, 12],
                    "preferred_rows": [5, 6, 7],
                    "blocked": ["29E"],
                },
            ]
        },
    },
    {
        "code": "789",
        "name": "787-9 Dreamliner",
        "manufacturer": "Boeing",
        "cruise_kmh": 900,
        "turnaround_minutes": 75,
        "layout": {
            "cabins": [
                {"cabin": "business", "rows": [1, 7], "letters": "A DG K", "bassinet_rows": [1], "preferred_rows": [1]},
                {
                    "cabin": "premium_economy",
                    "rows": [10, 12],
                    "letters": "AC DEG HK",
                    "bassinet_rows": [10],
                    "extra_legroom_rows": [10],
                },
                {
                    "cabin": "economy",
                    "rows": [20, 46],
                    "letters": "ABC DEF HJK",
                    "exit_rows": [20, 33],
                    "bassinet_rows": [21, 34],
                    "extra_legroom_rows": [20, 33],
                    "preferred_rows": [21, 22, 23],
                    "blocked": ["46D", "46E", "46F"],
                },
            ]
        },
    },
    {
        "code": "77W",
        "name": "777-300ER",
        "manufacturer": "Boeing",
        "cruise_kmh": 905,
        "turnaround_minutes": 80,
        "layout": {
            "cabins": [
                {"cabin": "first", "rows": [1, 2], "letters": "A DG K", "preferred_rows": [1]},
                {
                    "cabin": "business",
                    "rows": [5, 14],
                    "skip_rows": [13],
                    "letters": "AC DG HK",
                    "bassinet_rows": [5],
                    "preferred_rows": [5],
                },
                {"cabin": "premium_economy", "rows": [18, 20], "letters": "AC DEFG HK", "extra_legroom_rows": [18]},
                {
                    "cabin": "economy",
                    "rows": [25, 52],
                    "letters": "ABC DEFG HJK",
                    "exit_rows": [25, 40],
                    "bassinet_rows": [26, 41],
                    "extra_legroom_rows": [25, 40],
                    "preferred_rows": [26, 27, 28],
                    "missing": ["52A", "52K"],
                    "blocked": ["52D", "52E"],
                },
            ]
        },
    },
)
