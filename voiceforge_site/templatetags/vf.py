"""What the templates need beyond Django's own tags: icons, navigation, and figures with their units."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

import phonenumbers
from django import template
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from lucide.templatetags.lucide import lucide

from voiceforge_site.csp import THEME_SCRIPT

register = template.Library()


@register.simple_tag
@lru_cache(maxsize=512)
def icon(name: str, size: int = 16) -> SafeString:
    """A lucide icon as inline SVG. Decorative: the words beside it or the button's label say it."""
    return mark_safe(lucide(name, size=size, aria_hidden="true"))


@register.simple_tag
def theme_script() -> SafeString:
    """Sets the theme before the first paint; the only inline script, admitted by its hash."""
    return format_html("<script>{}</script>", mark_safe(THEME_SCRIPT))


@register.inclusion_tag("partials/_nav_link.html", takes_context=True)
def nav_link(context: template.Context, view: str, icon: str, label: str, key: str) -> dict[str, Any]:
    """One entry of the sidebar; current on every page of its part of the site. `key` follows `g`."""
    request: HttpRequest = context["request"]
    url = reverse(view)
    path = request.path
    current = path == url or (url != "/" and path.startswith(url) and not _shadowed(path, url))
    return {"url": url, "icon": icon, "label": label, "key": key, "current": current, "context": context}


def _shadowed(path: str, url: str) -> bool:
    """/calls/live/ lies under /calls/ and has an entry of its own."""
    live = reverse("telephony:live")
    return url != live and path.startswith(live)


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
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


@register.filter
def clock(seconds: float | None) -> str:
    """83.2 as 1:23."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@register.filter
def milliseconds(value: float | None) -> str:
    """820 as 820 ms, 1240 as 1.24 s."""
    if value is None:
        return "–"
    if value < 1000:
        return _("%(n)d ms") % {"n": round(value)}
    return _("%(n).2f s") % {"n": value / 1000}


@register.filter
def epoch(moment: datetime | None) -> str:
    """Seconds since 1970, for clocks that tick in the browser."""
    return "" if moment is None else f"{moment.timestamp():.3f}"
