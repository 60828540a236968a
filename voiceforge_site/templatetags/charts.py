"""Small charts as inline SVG: no script, and decorative, since a table beside each tells its values."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

Values = Sequence[float | None]
SPARK = (120, 28)
LINES = (600, 120)
MARGIN = 2


@register.simple_tag
def sparkline(values: Values) -> SafeString:
    """From the lowest value to the highest. Nothing for fewer than two values."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return SafeString("")
    return _drawing("vf-spark", SPARK, [_path(values, SPARK, min(known), max(known))])


@register.simple_tag
def line_chart(top: float, *curves: Values) -> SafeString:
    """Curves over one another, from 0 to `top`."""
    return _drawing("vf-lines", LINES, [_path(values, LINES, 0, top) for values in curves])


def _drawing(name: str, size: tuple[int, int], paths: Sequence[str]) -> SafeString:
    drawn = format_html_join(
        "",
        '<path d="{}" fill="none" stroke="currentColor" stroke-width="{}" stroke-linecap="round" '
        'stroke-linejoin="round" vector-effect="non-scaling-stroke"/>',
        ((mark_safe(path), "1.5") for path in paths),
    )
    return format_html(
        '<svg class="{}" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true">{}</svg>',
        name,
        *size,
        drawn,
    )


def _path(values: Values, size: tuple[int, int], low: float, high: float) -> str:
    """A gap where nothing was measured, a point where nothing was measured on either side."""
    width, height = (length - 2 * MARGIN for length in size)
    parts, pen = [], "M"
    for number, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        x = MARGIN + width * (number + 0.5) / len(values)
        y = MARGIN + height * (1 - ((value - low) / (high - low) if high > low else 0.5))
        parts.append(f"{pen}{x:.1f} {y:.1f}{'h.01' if pen == 'M' else ''}")
        pen = "L"
    return "".join(parts)


@register.filter
def percent(share: float | None) -> str:
    """0.8712 as 87 %; what is not none and not all is never told as 0 or 100."""
    if share is None:
        return "–"
    whole = round(share * 100)
    if 0 < share < 1:
        whole = min(max(whole, 1), 99)
    return f"{whole} %"
