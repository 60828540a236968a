"""Numbers as SIP lines write them: many leave out the +, or the country code, as their country dials."""

from __future__ import annotations

from collections.abc import Iterable

from agents.e164 import as_e164, is_assigned

from ..models import SipLine
from ..outbound.guard import countries_of, country_of

_SHORTEST = 7  # digits; what is shorter is an extension


def readings(written: str, countries: Iterable[str], *, international: bool = False) -> list[str]:
    """E.164, the likeliest first; none of what is no number. Without + or 00 it may be as it is dialled in
    one of these countries, or begin with a country code, which is tried first where the line is
    `international`."""
    if written.startswith(("+", "00")):
        return list(filter(None, [as_e164(written)]))
    if not written.isdecimal() or len(written) < _SHORTEST:
        return []
    home = [number for each in countries if (number := as_e164(written, each)) and is_assigned(number)]
    abroad = [number for number in [as_e164(f"+{written}")] if number and is_assigned(number)]
    return list(dict.fromkeys(abroad + home if international else home + abroad))


def on_line(written: str, line: SipLine, called: str = "") -> list[str]:
    """Its readings on that line, where `called` was called: Zadarma writes country codes."""
    home = country_of(called) if called else ""
    countries = [home] if home else line.countries or sorted(_of_account(line))
    return readings(written, countries, international=line.account_id is not None)


def _of_account(line: SipLine) -> set[str]:
    return countries_of(line.account) if line.account else set()
