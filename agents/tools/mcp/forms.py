"""The form of an MCP server."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from ...models import ToolServer
from ..address_form import AddressForm


class ServerForm(AddressForm):
    class Meta:
        model = ToolServer
        fields = ["name", "url"]
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Calendar"}),
            "url": forms.TextInput(attrs={"class": "vf-mono", "placeholder": "https://example.com/mcp"}),
        }
        help_texts = {
            "name": gettext_lazy("What you call it. The names of its tools begin with it."),
            "url": gettext_lazy("Of its Streamable HTTP endpoint, which often ends in /mcp."),
        }
