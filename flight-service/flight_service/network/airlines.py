"""Fictional airlines, their hubs and where they fly. `ZZ` is the airline of partners' test keys."""

from dataclasses import dataclass, field

TEST_AIRLINE = "ZZ"


@dataclass(frozen=True, slots=True)
class SeedAirline:
    """One airline; `spokes` are airports served daily from the hub and back, `trunks` twice daily."""

    iata: str
    name: str
    accounting_code: str
    country: str
    hub: str
    trunks: tuple[str, ...]
    spokes: tuple[str, ...]
    alliance: str | None = None
    test_only: bool = field(default=False)


def _codes(text: str) -> tuple[str, ...]:
    return tuple(text.split())


AIRLINES: tuple[SeedAirline, ...] = (
    SeedAirline(
        "RQ", "Rihla Airways", "901", "BD", "DAC",
        _codes("JED DXB LHR KUL SIN DEL"),
        _codes("CGP ZYL CXB JSR CCU RUH MED DOH KWI MCT IST BKK CAN CMB KTM MLE BOM JFK"),
        "Caravan",
    ),
    SeedAirline(
        "GC", "Gulf Crescent", "902", "AE", "DXB",
        _codes("JED LHR JFK DEL BOM SIN KHI DAC"),
        _codes(
            "CDG FRA MUC FCO MAD AMS ZRH VIE ATH IST CAI NBO ADD JNB CPT LOS SYD MEL PER BKK HKG NRT ICN PVG MNL CGK "
            "CMB MLE ISB LHE KWI BAH MCT AMM BEY RUH DMM CGP HYD MAA BLR LAX ORD TAS GYD TBS DAR EBB"
        ),
        "Meridian",
    ),
    SeedAirline(
        "HJ", "Hejaz Star", "903", "SA", "JED",
        _codes("RUH CAI DXB IST LHR KHI"),
        _codes("MED DMM DAC CGP KUL CGK DEL BOM HYD LHE ISB AMM BEY KWI DOH CMN TUN ALG CDG FRA ADD NBO JFK KRT SIN"),
        "Caravan",
    ),
    SeedAirline(
        "TJ", "Thames Air", "904", "GB", "LHR",
        _codes("JFK DUB CDG AMS FRA MAD EDI DXB"),
        _codes(
            "MAN BRU ZRH VIE BCN LIS FCO MXP ATH CPH ARN OSL HEL WAW PRG BUD BER MUC IST CAI BOS IAD ORD MIA LAX SFO "
            "YYZ YVR GRU EZE MEX DEL BOM SIN HKG NRT JNB NBO LOS ACC"
        ),
        "Meridian",
    ),
    SeedAirline(
        "LB", "Liberty Atlantic", "905", "US", "JFK",
        _codes("LHR LAX SFO MIA BOS ORD IAD CDG"),
        _codes("ATL DFW DEN SEA YYZ YUL MEX GRU BOG LIM PTY SCL EZE DUB LIS MAD FCO FRA AMS KEF NRT DEL TLV"),
        "Meridian",
    ),
    SeedAirline(
        "S1", "Straits Pacific", "906", "SG", "SIN",
        _codes("KUL BKK CGK HKG SYD LHR NRT MNL"),
        _codes("DPS SGN HAN TPE ICN PVG PEK CAN KIX MEL BNE PER ADL AKL DEL BOM MAA BLR CMB DAC MLE KTM FRA CDG SFO"),
        "Caravan",
    ),
    SeedAirline(
        "AN", "Anatolia Wings", "907", "TR", "IST",
        _codes("LHR FRA CDG DXB JFK CAI"),
        _codes(
            "ESB TBS EVN GYD TAS ALA ATH BER MUC VIE ZRH AMS BRU CPH ARN WAW BUD FCO MXP BCN MAD LIS TUN ALG CMN ADD "
            "DAC KHI JED RUH"
        ),
    ),
    SeedAirline(
        "X1", "Southern Cross Skies", "908", "AU", "SYD",
        _codes("MEL BNE AKL SIN PER LAX"),
        _codes("ADL CBR OOL CNS HBA DRW WLG CHC NAN DPS HKG NRT BKK MNL SFO"),
    ),
    SeedAirline(
        "KZ", "Kilimanjaro Air", "909", "KE", "NBO",
        _codes("JNB ADD DAR EBB LOS DXB"),
        _codes("MBA ZNZ KGL ACC CPT CAI LHR BOM JED LUN HRE"),
    ),
    SeedAirline(
        "A1", "Andes Meridian", "910", "BR", "GRU",
        _codes("GIG BSB EZE SCL LIM MIA"),
        _codes("SSA REC POA CNF BOG MEX MVD PTY LIS MAD JFK LHR"),
    ),
    SeedAirline(
        TEST_AIRLINE, "Test Air", "999", "BD", "DAC",
        _codes("JED DXB"),
        _codes("LHR JFK SIN CGP"),
        test_only=True,
    ),
)  # fmt: skip
