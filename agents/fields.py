"""Fields of forms: how people write what is stored otherwise."""

from __future__ import annotations

from typing import Any

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from .constants import read_constants, write_constants

LONGEST_CONSTANTS = 8000  # characters


class PhoneField(forms.CharField):
    """A telephone number as people write it, cleaned to E.164."""

    def __init__(self, *, max_length: int | None = None, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)  # room for brackets and spaces

    def clean(self, value: Any) -> str:
        number = super().clean(value)
        if not number:
            return ""
        try:
            parsed = phonenumbers.parse(number)
        except phonenumbers.NumberParseException:
            raise ValidationError(
                _("Write the number with its country code, like +1 415 555 0100.")
            ) from None
        if not phonenumbers.is_possible_number(parsed):
            raise ValidationError(_("No telephone has this number: check how many digits it has."))
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


class ConstantsField(forms.CharField):
    """An agent's own variables, a line for each: `clinic = Harbour Street Clinic`."""

    widget = forms.Textarea

    def __init__(self, *, encoder: Any = None, decoder: Any = None, **kwargs: Any) -> None:
        super().__init__(max_length=LONGEST_CONSTANTS, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return write_constants(value) if isinstance(value, dict) else value

    def clean(self, value: Any) -> dict[str, str]:  # type: ignore[override]
        return read_constants(super().clean(value))
