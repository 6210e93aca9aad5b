"""Special service requests an airline takes with a booking (IATA AIRIMP codes)."""

MEALS: dict[str, str] = {
    "AVML": "Vegetarian Hindu meal",
    "BBML": "Baby meal",
    "CHML": "Child meal",
    "DBML": "Diabetic meal",
    "FPML": "Fruit platter",
    "GFML": "Gluten-free meal",
    "HNML": "Hindu meal",
    "KSML": "Kosher meal",
    "LSML": "Low-salt meal",
    "MOML": "Muslim (halal) meal",
    "SFML": "Seafood meal",
    "VGML": "Vegan meal",
    "VLML": "Vegetarian meal with milk and eggs",
}
ASSISTANCE: dict[str, str] = {
    "BLND": "Blind passenger",
    "BSCT": "Bassinet",
    "DEAF": "Deaf passenger",
    "DPNA": "Passenger with intellectual or developmental disability",
    "EXST": "Extra seat",
    "INFT": "Infant on a lap",
    "LANG": "Speaks only the language named",
    "MAAS": "Meet and assist",
    "MEDA": "Medical case",
    "PETC": "Animal in the cabin",
    "SVAN": "Service animal",
    "UMNR": "Unaccompanied minor",
    "WCHC": "Wheelchair to the seat",
    "WCHR": "Wheelchair for the ramp",
    "WCHS": "Wheelchair up and down steps",
}
SSR_CODES: frozenset[str] = frozenset(MEALS) | frozenset(ASSISTANCE)
