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
        ((mark_safe(lines), "1.5", mark_safe(points), "5") for lines, points in curves),
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


@register.filter
def percent(share: float | None) -> str:
    """0.8712 as 87 %; what is not none and not all is never told as 0 or 100."""
    if share is None:
        return "–"
    whole = round(share * 100)
    if 0 < share < 1:
        whole = min(max(whole, 1), 99)
    return f"{whole} %"
