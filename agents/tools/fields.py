"""Fields of a tool's form: how people write what is stored as JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator, SchemaError

from mlservices.json_text import json_of

from .arguments import leads_outside

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
OUR_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection"})
LONGEST_LINES = 8_000


class PairsField(forms.CharField):
    """{name: value}, a line for each with a sign between."""

    widget = forms.Textarea
    sign = "="

    def __init__(self, *, encoder: Any = None, decoder: Any = None, **kwargs: Any) -> None:
        super().__init__(max_length=LONGEST_LINES, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        between = f" {self.sign} " if self.sign == "=" else f"{self.sign} "
        return "\n".join(f"{name}{between}{each}" for name, each in value.items())

    def clean(self, value: Any) -> dict[str, str]:  # type: ignore[override]
        found: dict[str, str] = {}
        for number, line in enumerate(super().clean(value).splitlines(), start=1):
            if not line.strip():
                continue
            name, sign, text = (part.strip() for part in line.partition(self.sign))
            if not sign or not name:
                told = {"number": number, "sign": self.sign}
                raise ValidationError(_("Line %(number)d: write a name, %(sign)s, and a value.") % told)
            if name in found:
                raise ValidationError(
                    _("Line %(number)d: %(name)s is there twice.") % {"number": number, "name": name}
                )
            self.check(number, name, text)
            found[name] = text
        return found

    def check(self, number: int, name: str, text: str) -> None:
        """Raises ValidationError."""


class HeadersField(PairsField):
    """`Name: value`."""

    sign = ":"

    def check(self, number: int, name: str, text: str) -> None:
        told = {"number": number, "name": name}
        if not _HEADER.fullmatch(name):
            raise ValidationError(_("Line %(number)d: “%(name)s” cannot be the name of a header.") % told)
        if name.lower() in OUR_OWN_HEADERS:
            raise ValidationError(_("Line %(number)d: %(name)s is set by VoiceForge itself.") % told)
        if not text:
            raise ValidationError(_("Line %(number)d: %(name)s has no value.") % told)
        if not text.isascii() or not text.isprintable():
            raise ValidationError(_("Line %(number)d: a header can hold plain ASCII signs only.") % told)


class ResultsField(PairsField):
    """`variable = place.in.the.answer`."""

    def check(self, number: int, name: str, text: str) -> None:
        if not name.isidentifier():
            told = {"number": number, "name": name}
            raise ValidationError(
                _("Line %(number)d: “%(name)s” cannot be a variable: use letters, digits and _.") % told
            )


class SchemaField(forms.CharField):
    """The JSON schema of an object; empty is {}."""

    widget = forms.Textarea

    def __init__(self, *, encoder: Any = None, decoder: Any = None, **kwargs: Any) -> None:
        super().__init__(max_length=20_000, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return json.dumps(value, indent=2, ensure_ascii=False) if value else ""

    def clean(self, value: Any) -> dict[str, Any]:  # type: ignore[override]
        text = super().clean(value).strip()
        schema = read_json(text) if text else {}
        if not isinstance(schema, dict):
            raise ValidationError(_("This has to be an object, in braces."))
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            place = ".".join(map(str, error.path)) or _("the whole")
            told = {"place": place, "reason": error.message}
            raise ValidationError(_("No JSON schema, at %(place)s: %(reason)s") % told) from None
        if leads_outside(schema):
            raise ValidationError(_("A “$ref” has to begin with #: nothing is fetched from elsewhere."))
        if schema and (schema.get("type") != "object" or not isinstance(schema.get("properties"), dict)):
            raise ValidationError(_("The schema has to be of the type “object”, with “properties”."))
        return schema


def read_json(text: str) -> Any:
    """Raises ValidationError that names the place."""
    try:
        return json_of(text)
    except json.JSONDecodeError as error:
        where = {"line": error.lineno, "column": error.colno, "reason": error.msg}
        told = _("Line %(line)s, column %(column)s: this is no JSON (%(reason)s).")
        raise ValidationError(told % where) from None
