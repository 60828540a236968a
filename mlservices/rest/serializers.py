"""What a resource takes and tells, as exact as its description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

# What JSON must hold for a field of a kind: "5" is no number, and 1 is not true.
_KINDS: tuple[tuple[type[serializers.Field], type | tuple[type, ...], str], ...] = (
    (serializers.BooleanField, bool, "true or false"),
    (serializers.IntegerField, int, "a whole number"),
    (serializers.FloatField, (int, float), "a number"),
    (serializers.CharField, str, "a text"),
    (serializers.ChoiceField, str, "a text"),
    (serializers.DateTimeField, str, "a time like 2026-03-05T14:30:00Z"),
)


class Exact(serializers.Serializer):
    """Refuses a field that it does not know, and JSON of another kind than a field is of. NUL is in no text:
    PostgreSQL keeps none."""

    def to_internal_value(self, data: Any) -> Any:
        given = data.items() if isinstance(data, Mapping) else ()
        if wrong := {name: why for name, value in given if (why := self._why_not(name, value))}:
            raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)

    def _why_not(self, name: str, value: Any) -> str:
        field = self.fields.get(name)
        if field is None or field.read_only:
            known = ", ".join(name for name, field in self.fields.items() if not field.read_only)
            return f"It cannot be set here: use {known}."
        if value is None:
            return ""
        for kind, wanted, called in _KINDS:
            if isinstance(field, kind):
                right = isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))
                return "" if right else f"Send {called}."
        return ""


class ExactModel(Exact, serializers.ModelSerializer):
    """The same of a model's fields. How long or how large a value may be is described by these, and judged by
    the form or the verb, in its words."""

    def get_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().get_fields()
        for field in fields.values():
            field.run_validators = _judged_later
        return fields


def _judged_later(value: Any) -> None:
    return None
