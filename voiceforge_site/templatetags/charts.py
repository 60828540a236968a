"""Small charts as inline SVG: no script, coloured by the text around them."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

WIDTH, HEIGHT, MARGIN = 120, 28, 2


@register.simple_tag
def sparkline(values: Sequence[float | None]) -> SafeString:
    """A curve from the first value to the last; where nothing was measured it has a gap. Decorative: the
    table beside it tells the values. Nothing for fewer than two."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return SafeString("")
    low, high = min(known), max(known)
    paths, pen = [], "M"
    for number, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        x = MARGIN + (WIDTH - 2 * MARGIN) * number / max(1, len(values) - 1)
        y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * ((value - low) / (high - low) if high > low else 0.5)
        paths.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L"
    return format_html(
        '<svg class="vf-spark" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true">'
        '<path d="{}" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" '
        'stroke-linejoin="round" vector-effect="non-scaling-stroke"/></svg>',
        WIDTH,
        HEIGHT,
        mark_safe("".join(paths)),
    )


@register.filter
def percent(share: float | None) -> str:
    """0.8712 as 87 %; what is not none and not all is never told as 0 or 100."""
    if share is None:
        return "–"
    whole = round(share * 100)
    if 0 < share < 1:
        whole = min(max(whole, 1), 99)
    return f"{whole} %"
