"""What is sent is judged by the form that people fill in on the page, in the same words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.forms import BaseForm, ModelForm

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
    """The form, which was filled in. Raises ValidationError by field."""
    if not form.is_valid():
        raise ValidationError({name: list(texts) for name, texts in form.errors.items()})
    return form
