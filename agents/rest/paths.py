"""Where in what was sent a fault is, of which `agents.facts` tells."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError

_PLACE = re.compile(r"((?:facts|hours)(?:\[\d+\]|\.\w+)+): ")


def by_path(error: ValidationError) -> ValidationError:
    """What it tells as "facts[0].answer: ..." at its field, facts.0.answer."""
    wrong: dict[str, list[str]] = {}
    for name, texts in error.update_error_dict({}).items():
        for text in ValidationError(texts).messages:
            place = _PLACE.match(text) if name in ("facts", "hours") else None
            path = re.sub(r"\[(\d+)\]", r".\1", place[1]) if place else name
            wrong.setdefault(path, []).append(text[place.end() :] if place else text)
    return ValidationError(wrong)
