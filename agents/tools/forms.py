"""The forms of a tool, and of what it is tried with."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..fields import dress
from ..flow.variables import placeholders
from ..models import Tool
from .address_form import LINES, AddressForm
from .arguments import schema_of
from .fields import HeadersField, ResultsField, SchemaField, read_json
from .requests import named_in

RESERVED_NAMES = frozenset({"new", "try", "servers"})  # addresses under /tools/ that are pages of their own
_NAME = forms.TextInput(attrs={"class": "vf-mono", "autocomplete": "off", "placeholder": "find_booking"})
_RESULTS = forms.Textarea(attrs={**LINES, "placeholder": "free_time = slots.0.time"})
_SECONDS = forms.NumberInput(attrs={"step": 0.5})
_HELP = {
    "name": gettext_lazy("As flows name it, and the language model sees it."),
    "results": gettext_lazy(
        "Which variables the answer sets: a line for each, a name and a place in the JSON."
    ),
    "filler": gettext_lazy("To a caller who waits longer than a moment, as “Let me look that up.”"),
}


class _Named(forms.ModelForm):
    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if name in RESERVED_NAMES:
            raise ValidationError(_("This name is taken by a page. Choose another."))
        return name


class OfServerForm(_Named):
    """Of a tool of an MCP server, which tells the rest."""

    class Meta:
        model = Tool
        fields = ["name", "results", "seconds", "repeatable", "filler"]
        field_classes = {"results": ResultsField}
        widgets = {"name": _NAME, "results": _RESULTS, "seconds": _SECONDS}
        help_texts = {
            **_HELP,
            "repeatable": gettext_lazy("It is then asked once more where no answer came."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)


class ToolForm(_Named, AddressForm):
    """Of a tool that is an HTTP request."""

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
            "name": _NAME,
            "url": forms.TextInput(
                attrs={"class": "vf-mono", "placeholder": "https://api.example.com/bookings/{{number}}"}
            ),
            "parameters": forms.Textarea(attrs={**LINES, "rows": 8}),
            "headers": forms.Textarea(attrs=LINES),
            "body": forms.Textarea(attrs={**LINES, "placeholder": '{"day": "{{day}}"}'}),
            "results": _RESULTS,
            "seconds": _SECONDS,
        }
        help_texts = {
            **_HELP,
            "description": gettext_lazy(
                "For you, and for the language model, which decides by it when to use it."
            ),
            "url": gettext_lazy("{{name}} puts an argument in."),
            "parameters": gettext_lazy(
                "A JSON schema. Empty: each {{name}} above and below is a text that is needed."
            ),
            "headers": gettext_lazy("A line for each, as Accept-Language: en."),
            "body": gettext_lazy("JSON. Empty: the arguments that the address does not name."),
            "repeatable": gettext_lazy(
                "GET, PUT and DELETE are asked once more where no answer came; tick it for others."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parameters"].required = False

    def clean_url(self) -> str:
        url = super().clean_url()
        if placeholders(url.partition("://")[2].partition("/")[0].partition("?")[0]):
            raise ValidationError(
                _("The name of the server is fixed: no {{placeholders}} before the first slash.")
            )
        return url

    def clean_body(self) -> str:
        body = str(self.cleaned_data["body"])
        if body.strip():
            read_json(body)
        return body

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.errors:
            self._check_arguments(cleaned)
        return cleaned

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


class TrialForm(forms.Form):
    """What a tool is tried with."""

    arguments = forms.CharField(
        label=gettext_lazy("Arguments"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(
            attrs={
                **LINES,
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
