"""Faults of the REST API as answers, all in the shape of `mlservices.api.answers.refusal`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django import forms
from django.core import validators
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied
from django.core.exceptions import ValidationError as NotValid
from django.db import models
from django.db.models import ProtectedError
from django.http import Http404, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions
from rest_framework.settings import api_settings

from ..api.answers import Refused, engine_refusal, refusal
from ..errors import EngineError
from .words import MOST_NAMED, one_of

INVALID = "The request is not valid."
_WHOLE = {NON_FIELD_ERRORS, api_settings.NON_FIELD_ERRORS_KEY, ""}


class Conflict(Refused):
    """What cannot be done as things stand now; `fields` say where that is."""

    def __init__(self, error: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(409, error, fields)


class Changed(Refused):
    """Somebody was faster than who sends If-Match."""

    def __init__(self, who: str = "") -> None:
        by = f"{who} has" if who else "Somebody has"
        super().__init__(412, f"{by} changed it since you read it: read it again, and send your change anew.")


@contextmanager
def in_conflict(told_by: type[NotValid] = NotValid, *, field: str = "") -> Iterator[None]:
    """Around a verb whose ValidationError, of this kind, is of how things stand, and not of what was sent;
    `field`: at which of what was sent that shows."""
    try:
        yield
    except told_by as error:
        words = " ".join(error.messages)
        raise Conflict(words, {field: words} if field else None) from None


def answered(error: Exception, context: Mapping[str, Any]) -> HttpResponseBase | None:
    """REST_FRAMEWORK's EXCEPTION_HANDLER. None for what is a fault of ours."""
    match error:
        case Refused():
            return refusal(error.status, str(error), fields=error.fields)
        case EngineError():
            return engine_refusal(error)
        case NotValid():
            return _invalid(_of_django(error))
        case exceptions.ValidationError():
            return _invalid(error.detail)
        case Http404():
            return refusal(404, "There is nothing of this name or id.")
        case PermissionDenied():
            return refusal(403, str(error) or "You may not do this.")
        case ProtectedError():
            return refusal(409, "Something else needs it: take it out there first.")
        case exceptions.Throttled() if error.wait:
            return refusal(429, str(error.detail), retry_after=round(error.wait))
        case exceptions.MethodNotAllowed():
            known = ", ".join(context["view"].allowed_methods)
            return refusal(405, _("This address does not take that: use %(methods)s.") % {"methods": known})
        case exceptions.UnsupportedMediaType():
            return refusal(415, _("Send JSON, with the header Content-Type: application/json."))
        case exceptions.APIException():
            return refusal(error.status_code, str(error.detail))
    return None


def _invalid(detail: Any) -> HttpResponseBase:
    told = dict(_flat(detail))
    about_all = told.pop("", "")
    return refusal(400, about_all or INVALID, fields=told or None)


def _of_django(error: NotValid) -> Any:
    if hasattr(error, "error_dict"):
        return {name: _texts(errors) for name, errors in error.error_dict.items()}
    return _texts(error.error_list)


def _texts(errors: Iterable[NotValid]) -> list[str]:
    return [text for error in errors for text in _in_our_words(error)]


_REQUIRED = [
    forms.Field.default_error_messages["required"],
    models.Field.default_error_messages["blank"],
    models.Field.default_error_messages["null"],
]
_LIMITS = [
    (validators.MaxLengthValidator, gettext_lazy("It takes %(limit_value)s characters at most: shorten it.")),
    (validators.MinLengthValidator, gettext_lazy("It takes %(limit_value)s characters at least.")),
    (validators.MaxValueValidator, gettext_lazy("It goes up to %(limit_value)s.")),
    (validators.MinValueValidator, gettext_lazy("It begins at %(limit_value)s.")),
]


def _in_our_words(error: NotValid) -> list[str]:
    """In place of Django's, which are of a page's fields and menus."""
    if any(error.message is words for words in _REQUIRED):
        return [_("It is missing.")]
    if error.message is models.UUIDField.default_error_messages["invalid"]:
        return [_("Send an id as it was told.")]
    for limit, ours in _LIMITS:
        if error.message is limit.message:
            return [str(ours) % error.params]
    params = error.params or {}
    if error.code == "invalid_choice" and "value" in params:
        return [_no_choice(str(params["value"]), params.get("choices", []))]
    return error.messages


def _no_choice(sent: str, choices: list[tuple[str, str]]) -> str:
    named = [value for value, label in choices if f"{label} ".casefold().startswith(f"{sent} ".casefold())]
    if len(named) == 1:  # "Germany" of "Germany +49"
        return _("For “%(value)s” write %(name)s.") % {"value": sent, "name": named[0]}
    told = _("“%(value)s” cannot be chosen here.") % {"value": sent}
    if 0 < len(choices) <= MOST_NAMED:
        told = f"{told} {one_of([value for value, _label in choices])}"
    return told


def _flat(detail: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """("facts.0.topic", what is wrong with it), and ("", what is wrong with all of it)"""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _flat(inner, path if name in _WHOLE else f"{path}.{name}".lstrip("."))
    elif isinstance(detail, list) and any(isinstance(each, Mapping) for each in detail):
        for index, inner in enumerate(detail):
            yield from _flat(inner, f"{path}.{index}".lstrip("."))
    elif isinstance(detail, list):
        if detail:
            yield path, " ".join(str(each) for each in detail)
    else:
        yield path, str(detail)
