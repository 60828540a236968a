"""Fields of forms: how people write what is stored otherwise."""

from __future__ import annotations

import re
from typing import Any

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from mlservices.pages.figures import grouped

from .constants import read_constants, write_constants
from .e164 import as_e164

LONGEST_CONSTANTS = 8000  # characters
_E164 = re.compile(r"\+[0-9]+")
_LETTER = re.compile(r"[^\W\d_]")


class PhoneField(forms.CharField):
    """A telephone number as people write it, cleaned to E.164 and shown in groups."""

    def __init__(self, *, max_length: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # the column's length is that of E.164

    def prepare_value(self, value: Any) -> Any:
        return grouped(value) if isinstance(value, str) and _E164.fullmatch(value) else value

    def clean(self, value: Any) -> str:
        number = super().clean(value)
        if not number:
            return ""
        if e164 := as_e164(number):
            return e164
        try:
            parsed = phonenumbers.parse(number)
        except phonenumbers.NumberParseException:
            parsed = None
        if parsed and parsed.extension:
            raise ValidationError(_("An extension cannot be dialled: write a number that rings by itself."))
        if parsed and not _LETTER.search(number):
            raise ValidationError(_("No telephone has this number: check how many digits it has."))
        raise ValidationError(_("Write the number with its country code, like +1 415 555 0100."))


class ConstantsField(forms.CharField):
    """An agent's own variables, a line for each: `clinic = Harbour Street Clinic`."""

    widget = forms.Textarea

    def __init__(self, *, encoder: Any = None, decoder: Any = None, **kwargs: Any) -> None:
        super().__init__(max_length=LONGEST_CONSTANTS, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return write_constants(value) if isinstance(value, dict) else value

    def clean(self, value: Any) -> dict[str, str]:  # type: ignore[override]
        return read_constants(super().clean(value))


class DressedForm(forms.Form):
    """One whose fields look like all others."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)


def dress(form: forms.BaseForm) -> None:
    """Give each widget the class of its kind."""
    for field in form.fields.values():
        match field.widget:
            case forms.CheckboxInput():
                kind = "vf-switch"
            case forms.RadioSelect():
                kind = "vf-radio"
            case forms.NumberInput(input_type="range"):
                kind = "vf-range"
            case _:
                kind = "vf-input"
        field.widget.attrs["class"] = f"{kind} {field.widget.attrs.get('class', '')}".strip()
