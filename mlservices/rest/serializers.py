"""What a resource takes and tells, as exact as its description."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Model
from drf_spectacular.extensions import OpenApiSerializerExtension
from rest_framework import serializers

from .words import say_more

# What JSON must hold for a field of a kind: "5" is no number, and 1 is not true.
_KINDS: tuple[tuple[type[serializers.Field], type | tuple[type, ...], str], ...] = (
    (serializers.BooleanField, bool, "true or false"),
    (serializers.IntegerField, int, "a whole number"),
    (serializers.FloatField, (int, float), "a number"),
    (serializers.CharField, str, "a text"),
    (serializers.ChoiceField, str, "a text"),
    (serializers.DateTimeField, str, "a time like 2026-03-05T14:30:00Z"),
    (serializers.SlugRelatedField, str, "a text"),
    (serializers.ListField, list, "a list"),
    (serializers.DictField, dict, "an object"),
)
_BUILT: dict[tuple[type, str, type[Model], int], tuple[type[serializers.Field], dict[str, Any]]] = {}
_MADE: dict[type[serializers.BaseSerializer], serializers.BaseSerializer] = {}
_LARGEST = 2**53  # what every program reads as it is written


class Exact(serializers.Serializer):
    """Refuses a field that it does not know, and JSON of another kind than a field is of."""

    def get_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().get_fields()
        for field in fields.values():
            say_more(field)
        return fields

    def to_internal_value(self, data: Any) -> Any:
        given = data.items() if isinstance(data, Mapping) else ()
        if wrong := {name: why for name, value in given if (why := self._why_not(name, value))}:
            raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)

    def _why_not(self, name: str, value: Any) -> Any:
        field = self.fields.get(name)
        if field is None or field.read_only:
            known = ", ".join(name for name, field in self.fields.items() if not field.read_only)
            return f"It cannot be set here: use {known}."
        return _wrong_kind(field, value)


class _ExactDescribed(OpenApiSerializerExtension):
    """What is refused when it is sent is described so."""

    target_class = Exact
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: str) -> Any:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        if not type(self.target).__doc__:  # what is told of its base is for who writes code
            schema.pop("description", None)
        return {**schema, "additionalProperties": False} if direction == "request" else schema


def _wrong_kind(field: serializers.Field, value: Any) -> Any:
    """A sentence, or sentences by their place; nothing where it is of the right kind."""
    if value is None:
        return ""
    for kind, wanted, called in _KINDS:
        if isinstance(field, kind):
            if not isinstance(value, wanted) or (wanted is not bool and isinstance(value, bool)):
                return f"Send {called}."
            if isinstance(value, int | float) and abs(value) > _LARGEST:
                return "Send a smaller number."
    if isinstance(field, serializers.SlugRelatedField) and not value:
        return "Send an id, or null."
    if isinstance(field, serializers.ListField):
        return _of_each(field.child, dict(enumerate(value)))
    if isinstance(field, serializers.DictField):
        return _of_each(field.child, value)
    return ""


def _of_each(child: serializers.Field, values: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(place): why for place, each in values.items() if (why := _wrong_kind(child, each))}


class ExactModel(Exact, serializers.ModelSerializer):
    """The same of a model's fields. How long or how large a value may be is described by these, and judged by
    the form or the verb, in its words."""

    def get_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().get_fields()
        for field in fields.values():
            field.run_validators = _judged_later
        return fields

    def build_field(
        self, field_name: str, info: Any, model_class: type[Model], nested_depth: int
    ) -> tuple[type[serializers.Field], dict[str, Any]]:
        """Once for each class: it takes longer to find out what a model's field is than to tell its value."""
        asked = (type(self), field_name, model_class, nested_depth)
        if asked not in _BUILT:
            _BUILT[asked] = super().build_field(field_name, info, model_class, nested_depth)
        kind, arguments = _BUILT[asked]
        return kind, dict(arguments)

    def get_unique_together_validators(self) -> list[Any]:
        return []


def _judged_later(value: Any) -> None:
    return None


def told_by(fields: type[serializers.BaseSerializer], thing: Any) -> Any:
    """What these fields tell of a thing. They are made once for all that is told: to make them for each
    answer takes as long as to tell it. They know no request, and keep nothing of a thing."""
    if fields not in _MADE:
        _MADE[fields] = fields()
    return _MADE[fields].to_representation(thing)


_TIME = serializers.DateTimeField()


def told_time(moment: datetime | None) -> str | None:
    """As every field of a time tells it: in the zone of who asks, with Z where that is UTC."""
    told: str | None = _TIME.to_representation(moment)
    return told


class Lines(serializers.DictField):
    """{name: value}, which a page's form writes a line for each, with a sign between: what would come apart
    there is refused."""

    child = serializers.CharField(allow_blank=True)

    def __init__(self, *, sign: str, **more: Any) -> None:
        super().__init__(**more)
        self._sign = sign

    def to_internal_value(self, data: Any) -> dict[str, str]:
        pairs: dict[str, str] = super().to_internal_value(data)
        for name, value in pairs.items():
            if not name.strip() or self._sign in name or len(f"{name}.{value}.".splitlines()) > 1:
                raise serializers.ValidationError(
                    {name: f"It takes one line, and no “{self._sign}” in its name."}
                )
        return pairs
