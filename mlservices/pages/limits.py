"""Errors of a form in one wording: they name the field, how far it goes, and what suits.

Temperature goes from 0 to 2. 0.7 suits most agents.
Greeting takes at most 600 characters and has 640: shorten it.
Name is missing.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.forms.utils import pretty_name
from django.utils.formats import number_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

Number = int | float


def explain_limits(form: forms.BaseForm, *, usual: str = "") -> None:
    """Give the fields of a form these errors, and number inputs their ends.

    The limits are those of the fields and, in a form of a model, of its columns; a number without both
    keeps Django's words. `usual` is a sentence with %(value)s, which numbers add with their default.
    """
    for name, field in form.fields.items():
        label = str(capfirst(field.label or pretty_name(name)))
        if isinstance(field, forms.IntegerField):  # a FloatField is one too
            _explain_number(field, label, _column(form, name), usual)
        else:
            field.error_messages["required"] = _("%(field)s is missing.") % {"field": label}
        if isinstance(field, forms.CharField) and field.max_length:
            field.error_messages["max_length"] = _length_error(label, field.max_length)
            # With it a browser cuts what is pasted and tells nobody.
            field.widget.attrs.pop("maxlength", None)


def range_error(label: str, low: Number, high: Number) -> str:
    words = _("%(field)s goes from %(low)s to %(high)s.")
    return words % {"field": label, "low": shown(low), "high": shown(high)}


def shown(number: Number) -> str:
    """2.0 as 2; 0.7 and 7,200 as the language writes them."""
    return str(number_format(number if isinstance(number, int) else f"{number:g}", force_grouping=True))


def _explain_number(
    field: forms.IntegerField, label: str, column: models.Field[Any, Any] | None, usual: str
) -> None:
    validators = [*field.validators, *(column.validators if column else ())]
    lows = [each.limit_value for each in validators if isinstance(each, MinValueValidator)]
    highs = [each.limit_value for each in validators if isinstance(each, MaxValueValidator)]
    if not lows or not highs:
        return
    low, high = max(lows), min(highs)
    remedy = " " + usual % {"value": shown(column.get_default())} if usual and column else ""
    beyond = _escaped(range_error(label, low, high) + remedy)
    none = _not_a_number(field, label, low, high) + remedy
    field.error_messages |= {"min_value": beyond, "max_value": beyond, "invalid": none, "required": none}
    field.widget.attrs |= {"min": low, "max": high}


def _not_a_number(field: forms.IntegerField, label: str, low: Number, high: Number) -> str:
    if isinstance(field, forms.FloatField):
        words = _("%(field)s is a number from %(low)s to %(high)s.")
    else:
        words = _("%(field)s is a whole number from %(low)s to %(high)s.")
    return words % {"field": label, "low": shown(low), "high": shown(high)}


def _length_error(label: str, most: int) -> str:
    """Django puts in the length."""
    words = _("%(field)s takes at most %(most)s characters and has %(length)s: shorten it.")
    return words % {"field": _escaped(label), "most": shown(most), "length": "%(show_value)s"}


def _escaped(text: str) -> str:
    """For an error of a limit, into which Django puts values by %."""
    return text.replace("%", "%%")


def _column(form: forms.BaseForm, name: str) -> models.Field[Any, Any] | None:
    columns = form._meta.model._meta.fields if isinstance(form, forms.ModelForm) else ()
    return next((column for column in columns if column.name == name), None)
