"""Small charts as inline SVG: no script, and decorative, since a table beside each tells its values."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from mlservices import awake

from . import vf

register = template.Library()

Values = Sequence[float | None]
SPARK = (120, 28)
LINES = (600, 120)
MARGIN = 2
BAR, DAY, GAP, STRIP_HEIGHT, LEAST_SHOWN = 4, 12, 3, 24, 6
STRIP_PARTS = ("failed", "warned", "passed", "none")


@register.simple_tag
def sparkline(values: Values) -> SafeString:
    """From the lowest value to the highest. Nothing for fewer than two values."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return SafeString("")
    return _drawing("vf-spark", SPARK, [_curve(values, SPARK, min(known), max(known))])


@register.simple_tag
def line_chart(top: float, *curves: Values) -> SafeString:
    """Curves over one another, from 0 to `top`."""
    return _drawing("vf-lines", LINES, [_curve(values, LINES, 0, top) for values in curves])


def _drawing(name: str, size: tuple[int, int], curves: Sequence[tuple[str, str]]) -> SafeString:
    stroke = (
        '<path d="{}" fill="none" stroke="currentColor" stroke-width="{}" stroke-linecap="round" '
        'stroke-linejoin="round" vector-effect="non-scaling-stroke"/>'
    )
    drawn = format_html_join(
        "",
        f"<g>{stroke}{stroke}</g>",
        ((mark_safe(lines), "1.5", mark_safe(points), "5") for lines, points in curves),  # noqa: S308 - numbers
    )
    return format_html(
        '<svg class="{}" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true">{}</svg>',
        name,
        *size,
        drawn,
    )


def _curve(values: Values, size: tuple[int, int], low: float, high: float) -> tuple[str, str]:
    """(lines, points): a gap where nothing was measured, a point where nothing was on either side."""
    width, height = (length - 2 * MARGIN for length in size)
    lines, points = [], []
    for number, value in enumerate(values):
        if value is None:
            continue
        x = MARGIN + width * (number + 0.5) / len(values)
        y = MARGIN + height * (1 - ((value - low) / (high - low) if high > low else 0.5))
        before, after = ([None, *values][number], [*values, None][number + 1])
        if before is None and after is None:
            points.append(f"M{x:.1f} {y:.1f}h.01")
        else:
            lines.append(f"{'M' if before is None else 'L'}{x:.1f} {y:.1f}")
    return "".join(lines), "".join(points)


@register.simple_tag
def week_strip(hours: Sequence[Any]) -> SafeString:
    """Hours of checks side by side, with a gap at midnight: what failed from the bottom up, then warnings,
    then what passed. Hours that are alike are one rectangle, so that no seams show between them."""
    drawn: dict[str, list[str]] = {name: [] for name in STRIP_PARTS}
    runs = groupby(enumerate(hours), key=lambda each: (_heights(each[1]), timezone.localdate(each[1].begins)))
    for (heights, _), run in runs:
        numbers = [number for number, _ in run]
        last = numbers[-1] + 1
        midnight = last < len(hours) and timezone.localtime(hours[last].begins).hour == 0
        left, right, bottom = BAR * numbers[0], BAR * last - (GAP if midnight else 0), STRIP_HEIGHT
        for name, height in zip(STRIP_PARTS, heights, strict=True):
            if height:
                bottom -= height
                drawn[name].append(f"M{left} {bottom}H{right}v{height}H{left}z")
    paths = format_html_join(
        "",
        '<path data-bars="{}" d="{}"/>',
        ((name, mark_safe("".join(bars))) for name, bars in drawn.items()),  # noqa: S308 - numbers
    )
    return format_html(
        '<svg class="vf-strip" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true">{}</svg>',
        BAR * len(hours),
        STRIP_HEIGHT,
        paths,
    )


@register.simple_tag
def day_bars(shares: Values) -> SafeString:
    """A bar for each day, of 0..1; a stub for one of which nothing is known."""
    drawn = []
    for number, share in enumerate(shares):
        parts: list[tuple[str, float]] = [("none", LEAST_SHOWN // 2)]
        if share is not None:
            parts = [("rest", STRIP_HEIGHT), ("awake", round(share * STRIP_HEIGHT, 1))]
        drawn += [(name, DAY * number, STRIP_HEIGHT - tall, DAY - GAP, tall) for name, tall in parts]
    bars = format_html_join("", '<rect data-bars="{}" x="{}" y="{}" width="{}" height="{}"/>', drawn)
    return format_html(
        '<svg class="vf-daybars" viewBox="0 0 {} {}" aria-hidden="true">{}</svg>',
        DAY * len(shares) - GAP,
        STRIP_HEIGHT,
        bars,
    )


def _heights(hour: Any) -> tuple[int, ...]:
    """Of each of STRIP_PARTS; what is little shows as well."""
    if not hour.checks:
        return (0, 0, 0, LEAST_SHOWN // 2)
    failed, warned = (
        max(round(count / hour.checks * STRIP_HEIGHT), LEAST_SHOWN) if count else 0
        for count in (hour.failed, hour.warned)
    )
    warned = min(warned, STRIP_HEIGHT - failed)
    return (failed, warned, STRIP_HEIGHT - failed - warned, 0)


@register.filter
def lasting(seconds: float) -> str:
    return awake.lasting(seconds)


@register.filter
def exact_percent(share: float | None) -> str:
    """0.99871 as 99.87 %: near to all the digits behind the point are what counts."""
    if share is None:
        return "–"
    decimals = 2 if 0.99 <= share < 1 else 0
    return f"{vf.number(min(share * 100, 99.99) if share < 1 else 100, decimals)} %"


@register.filter
def percent(share: float | None) -> str:
    """0.8712 as 87 %; what is not none and not all is never told as 0 or 100."""
    if share is None:
        return "–"
    whole = round(share * 100)
    if 0 < share < 1:
        whole = min(max(whole, 1), 99)
    return f"{whole} %"
