"""The form of a tool. Secret headers are written, never shown: an empty field keeps those that there are."""

from __future__ import annotations

import json
from typing import Any

import httpx
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mlservices.secret_box import UnreadableSecret, sealed

from ..fields import dress
from ..flow.variables import placeholders
from ..models import Tool
from .arguments import schema_of
from .calling import secrets_of
from .fields import HeadersField, ResultsField, SchemaField, read_json
from .requests import named_in

RESERVED_NAMES = frozenset({"new", "try"})  # addresses under /tools/ that are pages of their own
_LINES = {"class": "vf-mono vf-short", "spellcheck": "false", "rows": 3}


class ToolForm(forms.ModelForm):
    secrets = HeadersField(
        label=gettext_lazy("Secret headers"),
        required=False,
        widget=forms.Textarea(
            attrs={**_LINES, "rows": 2, "placeholder": "Authorization: Bearer …", "autocomplete": "off"}
        ),
    )
    forget = forms.BooleanField(label=gettext_lazy("Forget the secret headers"), required=False)

    class Meta:
        model = Tool
        fields = [
            "name",
            "description",
            "method",
            "url",
            "parameters",
            "headers",
            "body",
            "results",
            "seconds",
            "repeatable",
            "filler",
        ]
        field_classes = {"parameters": SchemaField, "headers": HeadersField, "results": ResultsField}
        widgets = {
            "name": forms.TextInput(
                attrs={"class": "vf-mono", "autocomplete": "off", "placeholder": "find_booking"}
            ),
            "url": forms.TextInput(
                attrs={"class": "vf-mono", "placeholder": "https://api.example.com/bookings/{{number}}"}
            ),
            "parameters": forms.Textarea(attrs={**_LINES, "rows": 8}),
            "headers": forms.Textarea(attrs=_LINES),
            "body": forms.Textarea(attrs={**_LINES, "placeholder": '{"day": "{{day}}"}'}),
            "results": forms.Textarea(attrs={**_LINES, "placeholder": "free_time = slots.0.time"}),
            "seconds": forms.NumberInput(attrs={"step": 0.5}),
        }
        help_texts = {
            "name": gettext_lazy("As flows name it, and the language model sees it."),
            "description": gettext_lazy(
                "For you, and for the language model, which decides by it when to use it."
            ),
            "url": gettext_lazy("{{name}} puts an argument in."),
            "parameters": gettext_lazy(
                "A JSON schema. Empty: each {{name}} above and below is a text that is needed."
            ),
            "headers": gettext_lazy("A line for each, as Accept-Language: en."),
            "body": gettext_lazy("JSON. Empty: the arguments that the address does not name."),
            "results": gettext_lazy(
                "Which variables the answer sets: a line for each, a name and a place in the JSON."
            ),
            "repeatable": gettext_lazy(
                "GET, PUT and DELETE are asked once more where no answer came; tick it for others."
            ),
            "filler": gettext_lazy("To a caller who waits longer than a moment, as “Let me look that up.”"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)
        self.kept_url = self.instance.url
        self.kept = self._kept_names()
        self.fields["parameters"].required = False
        self.fields["url"].required = True
        if self.kept:
            names = {"names": ", ".join(self.kept)}
            self.fields["secrets"].help_text = (
                _("Kept: %(names)s. They are not shown; write here to replace them.") % names
            )
        else:
            self.fields["secrets"].help_text = _("Encrypted, and never shown again.")

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if name in RESERVED_NAMES:
            raise ValidationError(_("This name is taken by a page. Choose another."))
        return name

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"]).strip()
        try:
            parsed = httpx.URL(url)
        except (httpx.InvalidURL, ValueError):
            raise ValidationError(
                _("This is no address: write it like https://api.example.com/bookings.")
            ) from None
        if parsed.scheme not in ("http", "https") or not parsed.host:
            raise ValidationError(_("Begin with https:// and the name of the server."))
        if placeholders(url.partition("://")[2].partition("/")[0].partition("?")[0]):
            raise ValidationError(
                _("The name of the server is fixed: no {{placeholders}} before the first slash.")
            )
        if parsed.userinfo:
            raise ValidationError(_("Put the name and password into a secret header instead."))
        return url

    def clean_body(self) -> str:
        body = str(self.cleaned_data["body"])
        if body.strip():
            read_json(body)
        return body

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        self._check_arguments(cleaned)
        self._check_secrets(cleaned)
        return cleaned

    def save(self, commit: bool = True) -> Tool:
        tool: Tool = super().save(commit=False)
        if self.cleaned_data["forget"]:
            tool.secret_headers = ""
        if secrets := self.cleaned_data["secrets"]:
            tool.secret_headers = sealed(json.dumps(secrets))
        if commit:
            tool.save()
        return tool

    def _check_arguments(self, cleaned: dict[str, Any]) -> None:
        """Every placeholder is an argument; without a schema the placeholders are the arguments."""
        draft = Tool(url=cleaned["url"], body=cleaned["body"], headers=cleaned["headers"])
        named = named_in(draft)
        if not cleaned["parameters"]:
            cleaned["parameters"] = schema_of(named)
        known = cleaned["parameters"]["properties"]
        if strange := [name for name in named if name not in known]:
            told = {"name": strange[0], "known": ", ".join(known) or "–"}
            self.add_error(
                "parameters", _("There is no argument for {{%(name)s}}. There are: %(known)s.") % told
            )

    def _check_secrets(self, cleaned: dict[str, Any]) -> None:
        """Secrets that were entered for one server are not handed to another."""
        before, now = httpx.URL(self.kept_url), httpx.URL(cleaned["url"])
        moved = (before.scheme, before.host, before.port) != (now.scheme, now.host, now.port)
        if self.kept and moved and not cleaned["secrets"] and not cleaned["forget"]:
            told = {"host": before.host}
            self.add_error(
                "secrets", _("They were for %(host)s. Enter those of the new server, or forget them.") % told
            )

    def _kept_names(self) -> list[str]:
        try:
            return list(secrets_of(self.instance))
        except UnreadableSecret:
            return ["?"]


class TrialForm(forms.Form):
    """What a tool is tried with."""

    arguments = forms.CharField(
        label=gettext_lazy("Arguments"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(
            attrs={
                **_LINES,
                "class": "vf-input vf-mono vf-short",
                "rows": 4,
                "placeholder": '{"number": "1234"}',
            }
        ),
    )

    def clean_arguments(self) -> dict[str, Any]:
        text = str(self.cleaned_data["arguments"]).strip()
        found = read_json(text) if text else {}
        if not isinstance(found, dict):
            raise ValidationError(_("This has to be an object, in braces."))
        return found
