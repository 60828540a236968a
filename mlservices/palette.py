"""Models in the command palette."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from .catalog import MODELS
from .pages.palette import Entry, Group, matching


def models(user: Any, words: str) -> Iterable[Group]:
    if not words or not user.has_perm("mlservices.view_models"):
        return []
    page = reverse("models:list")
    entries = [
        Entry(model.name, "cpu", url=f"{page}?{urlencode({'q': model.id})}", hint=model.id)
        for model in MODELS
    ]
    return matching(_("Models"), entries, words)
