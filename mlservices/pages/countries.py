"""Countries by their names, in the language of whoever looks."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

import phonenumbers
from babel import Locale, UnknownLocaleError
from django.utils.translation import get_language


def country_name(code: str) -> str:
    """Of an ISO code, as "Germany" of DE; the code itself where it has no name."""
    return str(_locale(get_language() or "en").territories.get(code, code))


def country_names(codes: Iterable[str]) -> str:
    """Several, in order, as "Canada, United States"."""
    return ", ".join(sorted(map(country_name, codes), key=_sorted_as))


def country_choices() -> list[tuple[str, str]]:
    """Every country that can be called, with its calling code, as ("DE", "Germany +49")."""
    named = sorted(((country_name(code), code) for code in phonenumbers.SUPPORTED_REGIONS), key=_first)
    return [(code, f"{name} +{phonenumbers.country_code_for_region(code)}") for name, code in named]


def _first(named: tuple[str, str]) -> str:
    return _sorted_as(named[0])


def _sorted_as(name: str) -> str:
    """Österreich stands beside Oman."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()


@lru_cache(maxsize=8)
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
