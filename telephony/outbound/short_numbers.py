"""What a number of a few digits reaches where it is no extension: help, or a service that may be dear."""

from __future__ import annotations

import re
from collections.abc import Collection

import phonenumbers
from phonenumbers import shortnumberinfo

EMERGENCY = ("112", "911")  # wherever one is
# Where nobody knows in which country a line dials: those of many countries or of large ones, but for what is
# as often an extension (100 to 108, 150 to 199).
EMERGENCY_SOMEWHERE = frozenset(
    ("15", "17", "18", "000", "110", "111", "113", "115", "117", "118", "119", "120", "122", "995", "999")
)
# Directory services in all of Europe, among them those of Germany, of which phonenumbers knows no cost.
DIRECTORY = re.compile(r"118\d\d", re.ASCII)

_Cost = shortnumberinfo.ShortNumberCost


def is_emergency(to: str, countries: Collection[str]) -> bool:
    return to in EMERGENCY or any(
        shortnumberinfo.connects_to_emergency_number(to, each) for each in _known(countries)
    )


def is_dear(to: str, countries: Collection[str]) -> bool:
    return bool(DIRECTORY.fullmatch(to)) or _Cost.PREMIUM_RATE in _costs(to, countries)


def is_free(to: str, countries: Collection[str]) -> bool:
    """Whether nobody has heard that it costs something."""
    return not DIRECTORY.fullmatch(to) and _costs(to, countries) <= {_Cost.UNKNOWN_COST, _Cost.TOLL_FREE}


def _costs(to: str, countries: Collection[str]) -> set[int]:
    if not to.isdecimal():
        return set()
    return {
        shortnumberinfo.expected_cost_for_region(
            phonenumbers.PhoneNumber(
                country_code=phonenumbers.country_code_for_region(each), national_number=int(to)
            ),
            each,
        )
        for each in _known(countries)
    }


def _known(countries: Collection[str]) -> list[str]:
    return [each for each in countries if each in phonenumbers.SUPPORTED_SHORT_REGIONS]
