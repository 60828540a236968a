"""What is sent is judged by the form that people fill in on the page, in the same words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.forms import BaseForm, ModelChoiceField, ModelForm
from django.utils.choices import flatten_choices

AnyForm = TypeVar("AnyForm", bound=ModelForm)
Judged = TypeVar("Judged", bound=BaseForm)


def filled(form: type[AnyForm], instance: Any, values: Mapping[str, Any], **more: Any) -> AnyForm:
    """The page's form of `instance` with these values in it and the rest as it is; it is valid, and has
    written them into `instance`. Raises ValidationError by field. `more` is for the form."""
    blank = form(instance=instance, **more)
    data = {}
    for name, field in blank.fields.items():
        value = values[name] if name in values else blank.get_initial_for_field(field, name)
        data[blank.add_prefix(name)] = field.prepare_value(value)
    return valid(form(data, instance=instance, **more))


def valid(form: Judged) -> Judged:
    """The form, which was filled in. Raises ValidationError by field; one of a choice knows what can be
    chosen."""
    if not form.is_valid():
        wrong = form.errors.as_data()
        for name, errors in wrong.items():
            for error in errors:
                if error.code == "invalid_choice":
                    error.params = {**(error.params or {}), "choices": _choices(form.fields[name])}
        raise ValidationError(wrong)
    return form


def _choices(field: Any) -> list[tuple[str, str]]:
    """Those that are not rows."""
    if isinstance(field, ModelChoiceField):
        return []
    pairs: Any = flatten_choices(iter(field.choices))
    return [(str(value), str(label)) for value, label in pairs if value != ""]
