"""What the templates need beyond Django's own tags: icons, times, and figures with their units."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django import template
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext_lazy, pgettext
from lucide.templatetags.lucide import lucide

from mlservices.pages.figures import grouped
from telephony.models import Call
from telephony.session.events import TurnMeasured
from telephony.wording import (
    ENGINES,
    FEEDBACK,
    LINES,
    REMEDIES,
    STAGE_TITLE,
    STAGE_TITLE_WAITED,
    STAGES,
    TRANSFERS,
    UNITS,
)
from voiceforge_site.csp import THEME_SCRIPT

register = template.Library()
# Seconds of a unit, and how long ago so many of it are
_AGO: tuple[tuple[int, Any], ...] = (
    (365 * 86400, ngettext_lazy("%(count)d year ago", "%(count)d years ago", "count")),
    (30 * 86400, ngettext_lazy("%(count)d month ago", "%(count)d months ago", "count")),
    (7 * 86400, ngettext_lazy("%(count)d week ago", "%(count)d weeks ago", "count")),
    (86400, ngettext_lazy("%(count)d day ago", "%(count)d days ago", "count")),
    (3600, ngettext_lazy("%(count)d hour ago", "%(count)d hours ago", "count")),
    (60, ngettext_lazy("%(count)d minute ago", "%(count)d minutes ago", "count")),
)
# Values of events that have names
_NAMES: dict[str, Mapping[Any, object]] = {
    "engine": ENGINES,
    "remedy": REMEDIES,
    "category": FEEDBACK,
    "status": TRANSFERS,
}


@register.simple_tag
@lru_cache(maxsize=512)
def icon(name: str, size: int = 16) -> SafeString:
    """A lucide icon as inline SVG. Decorative: the words beside it or the button's label say it."""
    return mark_safe(lucide(name, size=size, aria_hidden="true"))  # noqa: S308 - the library's drawing


@register.simple_tag
def theme_script() -> SafeString:
    """Sets the theme before the first paint; the only inline script, admitted by its hash."""
    return format_html("<script>{}</script>", mark_safe(THEME_SCRIPT))  # noqa: S308 - ours


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: object) -> str:
    """This page's query string with some parameters changed; an empty value drops its parameter."""
    parameters = context["request"].GET.copy()
    for name, value in changes.items():
        if value in (None, ""):
            parameters.pop(name, None)
        else:
            parameters[name] = str(value)
    return f"?{parameters.urlencode()}"


@register.filter
def phone(number: str) -> str:
    """+14155550112 as +1 415-555-0112; anything else (a name, a browser) as it is."""
    return grouped(number)


@register.filter
def clock(seconds: float | None) -> str:
    """83.2 as 1:23."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@register.simple_tag
def moment(value: datetime | None, shown: str = "ago") -> SafeString:
    """A time as <time>, in the viewer's zone: "5 minutes ago" with the exact time in its title, or with
    shown="exact" the other way round; a time to come is always exact. Every page tells times through this."""
    if value is None:
        return SafeString("–")
    local = timezone.localtime(value)
    exact = formats.date_format(local, pgettext("a time, as Django's date filter takes it", "j M Y, H:i:s"))
    told = ago(value) if value <= timezone.now() else ""
    in_its_zone = f"{exact} {local.tzname() or ''}".strip()
    text, title = (exact, told or in_its_zone) if shown == "exact" else (told or exact, in_its_zone)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', local.isoformat(timespec="seconds"), title, text
    )


@register.filter
def number(value: float | None, decimals: int = 0) -> str:
    """12345.6 as 12,346, or as the language groups it; as in static/js/format.js."""
    if value is None:
        return "–"
    rounded = Decimal(f"{value:.{decimals}f}")  # number_format alone would cut the rest off
    return formats.number_format(rounded, decimals, force_grouping=True)


@register.filter
def milliseconds(value: float | None) -> str:
    """820 as 820 ms, 1240 as 1.24 s."""
    if value is None:
        return "–"
    whole = round(value)  # first, as stored figures are: or one figure is told as 2.32 s and as 2.33 s
    if whole < 1000:
        return filled(UNITS["milliseconds"], {"n": whole})
    return filled(UNITS["seconds"], {"n": number(whole / 1000, 2)})


@register.filter
def epoch(moment: datetime | None) -> str:
    """Seconds since 1970, for clocks that tick in the browser."""
    return "" if moment is None else f"{moment.timestamp():.3f}"


@register.filter
def ago(moment: datetime) -> str:
    """ "3 hours ago", "just now". Whole sentences: German says "2 Tage", but "vor 2 Tagen"."""
    seconds = (timezone.now() - moment).total_seconds()
    for unit, text in _AGO:
        if seconds >= unit:
            return text % {"count": int(seconds // unit)}
    return gettext("just now")


@register.filter
def get(mapping: Mapping[str, Any], key: str) -> Any:
    return mapping.get(key, "")


@register.filter
def person(username: str, labels: Mapping[str, Any]) -> str:
    """Who operates a call, as people know them; as in static/js/format.js."""
    name: str = labels.get("people", {}).get(username, username)
    return name


@register.filter
def line_name(line: str) -> str:
    """What carries a call, by the key of its provider."""
    return str(LINES.get(line, line))


@register.filter
def compact(payload: dict[str, Any]) -> str:
    """An event's payload on one line; nothing for none."""
    return json.dumps(payload, ensure_ascii=False) if payload else ""


@register.filter
def filled(text: object, values: Mapping[str, object]) -> str:
    """ "Pressed {digits}" with the values of an event; as in static/js/format.js."""
    return re.sub(r"\{(\w+)\}", lambda match: str(values.get(match[1], "")), str(text))


@register.filter
def named(values: Mapping[str, object]) -> dict[str, object]:
    """An event's values, with the names of its engine and its remedy; as in static/js/transcript.js."""
    told = {key: names[values[key]] for key, names in _NAMES.items() if values.get(key) in names}
    return {**values, **told}


@register.filter
def filled_with(text: object, number: str) -> str:
    """ "Transfer to {number}" with a telephone number."""
    return filled(text, {"number": phone(number)})


@register.filter
def median(values: Sequence[float] | None) -> float | None:
    return statistics.median(values) if values else None


@register.filter
def duration(call: Call) -> float | None:
    """Seconds from answer to end; to now while it goes on; None for a call nobody answered."""
    if call.answered_at is None:
        return None
    return ((call.ended_at or timezone.now()) - call.answered_at).total_seconds()


@register.filter
def total_ms(turn: TurnMeasured | None) -> float | None:
    return turn.voice_to_voice_seconds * 1000 if turn else None


@register.filter
def queue_ms(turn: TurnMeasured | None) -> int:
    """The time of a turn that was spent waiting for free workers."""
    return (
        round((turn.stt_queue_seconds + turn.llm_queue_seconds + turn.tts_queue_seconds) * 1000)
        if turn
        else 0
    )


@register.filter
def stages(turn: TurnMeasured | None) -> list[dict[str, Any]]:
    """A turn's stages as parts of a bar: milliseconds, and the part of each spent in a queue (0..1)."""
    return [_stage(turn, name, str(label), str(what), queue) for name, label, what, queue in STAGES]


def _stage(turn: TurnMeasured | None, name: str, label: str, what: str, queue_field: str) -> dict[str, Any]:
    seconds = getattr(turn, f"{name}_seconds", 0.0)
    queued = getattr(turn, queue_field, 0.0) if queue_field else 0.0
    title = filled(
        STAGE_TITLE_WAITED if queued else STAGE_TITLE,
        {"label": label, "ms": round(seconds * 1000), "what": what, "queued": round(queued * 1000)},
    )
    queue = min(1.0, queued / seconds) if seconds else 0.0
    return {"name": name, "ms": round(seconds * 1000), "queue": f"{queue:.3f}", "title": title}
