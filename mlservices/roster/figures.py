"""Memory, bytes and times of models in words, counted in thousands as the hub's pages do."""

from __future__ import annotations

from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _


def _number(value: float, decimals: int = 0) -> str:
    return number_format(Decimal(f"{value:.{decimals}f}"), decimals, force_grouping=True)


def megabytes(count: float) -> str:
    """160 as "160 MB", 6000 as "6.0 GB"."""
    if count < 1000:
        return _("%(n)s MB") % {"n": _number(count)}
    return _("%(n)s GB") % {"n": _number(count / 1000, 1)}


def size(count: float) -> str:
    """Of bytes."""
    if count < 1e6:
        return _("%(n)s kB") % {"n": _number(count / 1e3)}
    return megabytes(count / 1e6)


def kilohertz(rate: int) -> str:
    """22050 as "22.05 kHz"."""
    return _("%(n)s kHz") % {"n": number_format(Decimal(rate) / 1000)}


def time_left(seconds: float) -> str:
    if seconds < 90:
        return _("%(n)s s left") % {"n": _number(seconds)}
    if seconds < 5400:
        return _("%(n)s min left") % {"n": _number(seconds / 60)}
    return _("%(n)s h left") % {"n": _number(seconds / 3600, 1)}
