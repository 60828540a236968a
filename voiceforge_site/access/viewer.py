"""Everything a page shows is in the viewer's language, and its times are in the viewer's zone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from mlservices.pages.zones import zones

from .sessions import mark_seen

ZONE_COOKIE = "vf-zone"  # what the browser says of its zone; static/js/zone.js keeps it


def browsers_zone(request: HttpRequest) -> str:
    """The name of the zone that the browser told, or UTC."""
    told = request.COOKIES.get(ZONE_COOKIE, "")
    return told if told in zones() else settings.TIME_ZONE


class Viewer:
    """Middleware, after the one that knows the user."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        zone = language = ""
        with suppress(DatabaseError):  # a page that needs none, like /health/, answers all the same
            user = request.user
            if user.is_authenticated:
                zone, language = user.time_zone, user.language
                mark_seen(request, user)
        zone = zone if zone in zones() else browsers_zone(request)
        if language not in dict(settings.LANGUAGES):
            language = translation.get_language_from_request(request)
        with timezone.override(ZoneInfo(zone)), translation.override(language):
            response = self._get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Accept-Language",))
        return response
