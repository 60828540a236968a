"""What a refusal says of a field: what is wrong and what to do, in place of the words that Django REST
framework has. Those of Django's forms are in `problems`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import relations, serializers

from ..days import NO_DAY

MOST_NAMED = 40  # of the choices, in a refusal
_A_TEXT = gettext_lazy("Send a text.")
_AN_OBJECT = gettext_lazy("Send an object: fields by their names.")
_A_LIST = {
    "not_a_list": gettext_lazy("Send a list."),
    "empty": gettext_lazy("It is empty: name one at least."),
    "max_length": gettext_lazy("It takes {max_length} at most."),
    "min_length": gettext_lazy("It takes {min_length} at least."),
}
_A_NUMBER = {
    "invalid": gettext_lazy("Send a number."),
    "max_value": gettext_lazy("It goes up to {max_value}."),
    "min_value": gettext_lazy("It begins at {min_value}."),
    "max_string_length": gettext_lazy("Send a smaller number."),
    "overflow": gettext_lazy("Send a smaller number."),
    "max_digits": gettext_lazy("It takes {max_digits} digits at most."),
    "max_decimal_places": gettext_lazy("It takes {max_decimal_places} digits behind the point at most."),
    "max_whole_digits": gettext_lazy("It takes {max_whole_digits} digits before the point at most."),
}
_A_TIME = gettext_lazy("Write the time like 2026-03-05T14:30:00Z.")
_OURS: dict[type[serializers.Field], dict[str, Any]] = {
    serializers.Field: {
        "required": gettext_lazy("It is missing."),
        "null": gettext_lazy("It cannot be null: leave it out, or send a value."),
    },
    serializers.BooleanField: {"invalid": gettext_lazy("Send true or false.")},
    serializers.CharField: {
        "invalid": _A_TEXT,
        "blank": gettext_lazy("It is empty: write something."),
        "max_length": gettext_lazy("It takes {max_length} characters at most: shorten it."),
        "min_length": gettext_lazy("It takes {min_length} characters at least."),
    },
    serializers.UUIDField: {"invalid": gettext_lazy("Send an id as it was told.")},
    serializers.IntegerField: {**_A_NUMBER, "invalid": gettext_lazy("Send a whole number.")},
    serializers.FloatField: _A_NUMBER,
    serializers.DecimalField: _A_NUMBER,
    serializers.DateTimeField: dict.fromkeys(("invalid", "date", "make_aware", "overflow"), _A_TIME),
    serializers.DateField: dict.fromkeys(("invalid", "datetime"), NO_DAY),
    serializers.ChoiceField: {"invalid_choice": gettext_lazy("“{input}” cannot be chosen here.")},
    serializers.ListField: _A_LIST,
    serializers.DictField: {"not_a_dict": _AN_OBJECT, "empty": _A_LIST["empty"]},
    serializers.JSONField: {"invalid": gettext_lazy("Send JSON.")},
    serializers.Serializer: {"invalid": _AN_OBJECT},
    serializers.ListSerializer: _A_LIST,
    relations.PrimaryKeyRelatedField: {
        "required": gettext_lazy("It is missing."),
        "does_not_exist": gettext_lazy("There is none with the id {pk_value}."),
        "incorrect_type": gettext_lazy("Send an id, or null."),
    },
    relations.SlugRelatedField: {
        "does_not_exist": gettext_lazy("There is no “{value}” here."),
        "invalid": _A_TEXT,
    },
    relations.ManyRelatedField: _A_LIST,
}


def replace() -> None:
    """Before any field is made: each copies the words of its class."""
    for kind, ours in _OURS.items():
        known = getattr(kind, "default_error_messages", {})
        kind.default_error_messages = {**known, **ours}


def say_more(field: Any) -> None:
    """Of which choices, and of what kind of thing, a field that was made can be."""
    if isinstance(field, serializers.ChoiceField):
        names = list(field.choices)
        if 0 < len(names) <= MOST_NAMED:
            field.error_messages["invalid_choice"] = _braced(one_of(names))
    elif isinstance(field, relations.SlugRelatedField) and field.queryset is not None:
        field.error_messages["does_not_exist"] = _OfKind(field.queryset.model)
    elif isinstance(field, serializers.ListField | serializers.DictField):
        say_more(field.child)


def one_of(names: Sequence[Any]) -> str:
    """What is empty stands there as it is sent."""
    return _("Use one of %(names)s.") % {"names": ", ".join(str(name) or '""' for name in names)}


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


class _OfKind:
    """ "There is no agent “nobody”." """

    def __init__(self, model: Any) -> None:
        self._model = model

    def format(self, *, value: str, **_more: Any) -> str:
        words = {"kind": self._model._meta.verbose_name, "value": value}
        return _("There is no %(kind)s “%(value)s”.") % words
