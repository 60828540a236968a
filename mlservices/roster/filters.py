"""Which models the page shows: words, kind, state, licence and language, as its address says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from ..catalog import MODELS
from ..pages.languages import language_name
from .rows import KINDS, Row, Standing

_LICENCES: dict[str, Callable[[Row], bool]] = {
    "commercial": lambda row: row.model.commercial_use,
    "other": lambda row: not row.model.commercial_use,
}
_STATES: dict[str, Callable[[Row], bool]] = {
    "loaded": lambda row: row.standing is Standing.LOADED,
    "busy": lambda row: row.is_busy,
    "ready": lambda row: row.standing is Standing.READY,
    "absent": lambda row: row.standing in (Standing.ABSENT, Standing.PAUSED),
    "failed": lambda row: row.standing is Standing.FAILED,
}
_NO_LANGUAGE = ("any", "multilingual")  # which no one asks for


class Filters:
    """Words that make no sense filter nothing."""

    def __init__(self, query: QueryDict) -> None:
        self.words = " ".join(query.get("q", "")[:100].split())
        self.kind = _one_of(query.get("kind", ""), KINDS)
        self.state = _one_of(query.get("state", ""), _STATES)
        self.licence = _one_of(query.get("licence", ""), _LICENCES)
        self.language = _one_of(query.get("language", ""), _languages())

    def __bool__(self) -> bool:
        return any((self.words, self.kind, self.state, self.licence, self.language))

    def of_all_kinds(self, rows: Iterable[Row]) -> list[Row]:
        return [row for row in rows if self._fits(row)]

    def _fits(self, row: Row) -> bool:
        model, words = row.model, self.words.casefold().split()
        said = f"{model.id} {model.name} {model.pool} {row.source_name} {model.licence}".casefold()
        return (
            all(word in said for word in words)
            and (not self.state or _STATES[self.state](row))
            and (not self.licence or _LICENCES[self.licence](row))
            and (not self.language or self.language in model.languages)
        )

    def of_its_kind(self, rows: Iterable[Row]) -> list[Row]:
        return [row for row in rows if self.kind in ("", row.model.kind)]

    def counts(self, rows: list[Row]) -> list[tuple[str, Any, int]]:
        """(kind, its name, how many) of rows of all kinds; the first is all of them."""
        of_kinds = [
            (kind.value, name, sum(row.model.kind is kind for row in rows))
            for kind, (name, _icon) in KINDS.items()
        ]
        return [("", _("All"), len(rows)), *of_kinds]

    @property
    def selects(self) -> list[dict[str, Any]]:
        states = {
            "": _("Any state"),
            "loaded": _("Loaded"),
            "busy": _("Under way"),
            "ready": _("Not loaded"),
            "absent": _("Not here"),
            "failed": _("Failed"),
        }
        licences = {
            "": _("Any licence"),
            "commercial": _("Commercial use allowed"),
            "other": _("No commercial use"),
        }
        languages = {"": _("Any language"), **_languages()}
        return [
            {"name": "state", "label": _("State"), "chosen": self.state, "options": states.items()},
            {"name": "licence", "label": _("Licence"), "chosen": self.licence, "options": licences.items()},
            {
                "name": "language",
                "label": _("Language"),
                "chosen": self.language,
                "options": languages.items(),
            },
        ]


def _one_of(word: str, known: Iterable[str]) -> str:
    return word if word in list(known) else ""


def _languages() -> dict[str, str]:
    codes = {code for model in MODELS for code in model.languages if code not in _NO_LANGUAGE}
    return dict(sorted(((code, language_name(code)) for code in codes), key=lambda each: each[1]))
