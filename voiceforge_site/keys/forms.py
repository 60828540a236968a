from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents.fields import dress

from ..access.roles import ABILITIES
from ..models import ApiKey, User

LIFETIMES = (("30", _("30 days")), ("90", _("90 days")), ("365", _("A year")), ("", _("Never")))
OVERLAPS = (
    ("0", _("At once")),
    ("1", _("An hour later")),
    ("24", _("A day later")),
    ("168", _("A week later")),
)


class NetworksField(forms.CharField):
    """Addresses and networks with spaces or lines between."""

    widget = forms.Textarea

    def __init__(self, *, encoder: Any = None, decoder: Any = None, **kwargs: Any) -> None:
        super().__init__(max_length=2000, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        return [network for network in re.split(r"[\s,;]+", super().clean(value)) if network]


class ScopesField(forms.MultipleChoiceField):
    """Of what the person may do themselves; nothing ticked is all of it, whatever that becomes."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, *, encoder: Any = None, decoder: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = ApiKey
        fields = ["name", "scopes", "networks", "requests_a_minute"]
        field_classes = {"scopes": ScopesField, "networks": NetworksField}
        widgets = {
            "name": forms.TextInput(attrs={"placeholder": _("Reports of the night shift")}),
            "scopes": forms.CheckboxSelectMultiple,
            "networks": forms.Textarea(
                attrs={"rows": 2, "class": "vf-mono vf-short", "placeholder": "203.0.113.0/24"}
            ),
            "requests_a_minute": forms.NumberInput(attrs={"min": 1}),
        }
        help_texts = {
            "scopes": _("Nothing ticked: all that you may do, whatever that becomes."),
            "networks": _("Empty: from anywhere."),
            "requests_a_minute": _("Empty: as many as this installation lets any key send."),
        }

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        had = set(self.instance.scopes)
        scopes = self.fields["scopes"]
        assert isinstance(scopes, ScopesField)
        scopes.choices = [
            (ability, what)
            for ability, (what, _roles) in ABILITIES.items()
            if person.has_perm(ability) or ability in had
        ]
        for name in ("scopes", "networks"):
            self.fields[name].required = False
        dress(self)
        scopes.widget.attrs["class"] = "vf-check"


class NewKeyForm(KeyForm):
    lifetime = forms.ChoiceField(label=_("Opens for"), choices=LIFETIMES, required=False, initial="90")
    field_order = ("name", "lifetime", "scopes", "networks", "requests_a_minute")

    @property
    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["lifetime"]
        return timezone.now() + timedelta(days=int(days)) if days else None


class RotateForm(forms.Form):
    overlap = forms.ChoiceField(label=_("The old key closes"), choices=OVERLAPS, initial="24")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)

    @property
    def hours(self) -> timedelta:
        return timedelta(hours=int(self.cleaned_data["overlap"]))
