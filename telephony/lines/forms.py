"""Forms of accounts and numbers. A secret is written, never shown."""

from __future__ import annotations

import re
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents.e164 import as_e164
from agents.fields import DressedForm, PhoneField, dress
from agents.hours_text import read_hours, write_hours
from mlservices.pages.countries import country_choices

from ..models import Credential, PhoneNumber
from ..outbound.guard import NotAllowed, refuse_number
from .hours import hours_of
from .texts import BESIDE_CALLS

_EXTENSION = re.compile(r"[0-9]{3}")  # of a PBX at Zadarma
_WRITTEN = re.compile(r"[!-~]+")  # what can stand in a header
_SEPARATORS = re.compile(r"[\s().-]")
# What a country's code begins with in most of the world, and the nought that is not dialled after it.
_TRUNK_NOUGHT = re.compile(r"^(?:\+|00)\s*([1-9][0-9]{0,2})(?:\s*\(0\))?")
_TWILIO_SID = re.compile(r"AC[0-9a-f]{32}")
_SECRET = {"autocomplete": "new-password", "class": "vf-mono"}
KINDS = (
    ("local", gettext_lazy("Local")),
    ("mobile", gettext_lazy("Mobile")),
    ("toll_free", gettext_lazy("Free of charge for callers")),
)


PICK = {
    "data-pick": "",
    "data-search": gettext_lazy("Search countries"),
    "data-none": gettext_lazy("No country matches"),
    "data-remove": gettext_lazy("Remove {name}"),
}


class CountriesField(forms.MultipleChoiceField):
    """ISO codes, chosen by name."""

    def __init__(self, *, encoder: Any = None, decoder: Any = None, **kwargs: Any) -> None:
        widget = forms.SelectMultiple(attrs={**PICK, "size": 8})
        super().__init__(**{**kwargs, "choices": country_choices, "widget": widget})

    def clean(self, value: Any) -> list[str]:
        return sorted(super().clean(value))


class SecretForm(DressedForm):
    secret = forms.CharField(
        label=gettext_lazy("New secret"),
        max_length=200,
        widget=forms.PasswordInput(attrs=_SECRET),
    )

    def clean_secret(self) -> str:
        secret = str(self.cleaned_data["secret"]).strip()
        if not _WRITTEN.fullmatch(secret):
            raise ValidationError(
                _("A secret is of letters, digits and signs, without spaces. Copy it from the provider.")
            )
        return secret


class NewAccountForm(SecretForm):
    provider = forms.ChoiceField(label=gettext_lazy("Provider"), choices=Credential.Provider.choices)
    label = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        required=False,
        help_text=gettext_lazy("As it is called here. Empty: as its provider."),
    )
    account = forms.CharField(
        label=gettext_lazy("Account"),
        max_length=64,
        help_text=gettext_lazy("Twilio: the account SID, which begins with AC. Zadarma: the key."),
        widget=forms.TextInput(attrs={"class": "vf-mono", "autocomplete": "off"}),
    )
    field_order = ("provider", "label", "account", "secret")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["secret"].label = _("Secret")
        self.fields["secret"].help_text = _(
            "Twilio: the auth token. Zadarma: the secret. It is encrypted, and never shown again."
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        account = str(cleaned.get("account", "")).strip()
        if cleaned.get("provider") == Credential.Provider.TWILIO and not _TWILIO_SID.fullmatch(account):
            self.add_error(
                "account", _("An account SID is AC and 32 letters and digits. Copy it from Twilio.")
            )
        elif account and not _WRITTEN.fullmatch(account):
            self.add_error("account", _("A key is of letters and digits. Copy it from Zadarma."))
        provider = str(cleaned.get("provider", ""))
        return {**cleaned, "account": account, "label": cleaned.get("label") or provider.capitalize()}


class LimitsForm(forms.ModelForm):
    class Meta:
        model = Credential
        fields = ["label", "countries", "daily_cap", "calls_per_second", "records"]
        field_classes = {"countries": CountriesField}
        widgets = {
            "daily_cap": forms.NumberInput(attrs={"step": "0.01", "min": 0}),
            "calls_per_second": forms.NumberInput(attrs={"step": "0.1", "min": 0.1}),
        }
        help_texts = {
            "countries": gettext_lazy("Empty: the countries of its own numbers, and no other."),
            "daily_cap": gettext_lazy("In 24 hours. Empty: no cap."),
            "calls_per_second": gettext_lazy("Twilio takes one a second; more wait in its queue."),
            "records": gettext_lazy(
                "Both sides apart, of agents that record their calls. Fetched after each call, and heard on "
                "its page; Twilio charges for it."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["countries"].required = False
        if self.instance.provider != Credential.Provider.TWILIO:
            del self.fields["records"]  # Zadarma's own settings decide that
        else:
            self.fields["records"].required = False
        dress(self)

    def clean_records(self) -> Any:
        """Where it is not said it stays as it is."""
        return self.cleaned_data["records"] or self.instance.records


class NumberForm(forms.ModelForm):
    week = forms.CharField(
        label=gettext_lazy("Answered"),
        required=False,
        max_length=5000,
        help_text=gettext_lazy(
            "Empty: always. Days without a line are closed; so are those after “closed:”. 22:00-02:00 ends "
            "on the next day, 18:00-24:00 with the day."
        ),
        widget=forms.Textarea(
            attrs={
                "rows": 4,
                "class": "vf-mono vf-short",
                "placeholder": "Monday to Friday: 09:00-17:00\nclosed: 2026-12-25",
            }
        ),
    )
    zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"placeholder": "Europe/London", "list": "timezones"}),
    )

    class Meta:
        model = PhoneNumber
        fields = ["label", "agent", "extension", "after", "after_agent", "after_number", "fallback_number"]
        labels = {"extension": gettext_lazy("Extension that answers")}
        field_classes = {"after_number": PhoneField, "fallback_number": PhoneField}
        help_texts = {
            "extension": gettext_lazy(
                "Of Zadarma's PBX, where this server answers. Empty: what is set at Zadarma decides."
            ),
            "fallback_number": gettext_lazy(
                "The provider puts callers through to it by itself while this server does not answer."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("agent", "after_agent"):
            cast(forms.ModelChoiceField, self.fields[name]).empty_label = _("Nobody")
        if self.instance.credential.provider != Credential.Provider.ZADARMA:
            del self.fields["extension"]
        if hours := self.instance.hours:
            self.initial.update({"week": write_hours(hours), "zone": hours["timezone"]})
        dress(self)

    def clean_extension(self) -> str:
        extension: str = self.cleaned_data["extension"]
        if extension and not _EXTENSION.fullmatch(extension):
            raise forms.ValidationError(_("An extension has three digits, as 100."))
        return extension

    def clean_fallback_number(self) -> str:
        number: str = self.cleaned_data["fallback_number"]
        if number and not self.instance.credential.manages_numbers:
            raise ValidationError(_("Zadarma forwards by rules of its own: set it in the pages of Zadarma."))
        return number

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.instance.hours = self._hours(cleaned)
        if cleaned.get("fallback_number") == self.instance.number:
            self.add_error("fallback_number", _("This is the number itself. Write another telephone."))
        self._check_forward(cleaned)
        after = cleaned.get("after")
        if after == PhoneNumber.After.AGENT and not cleaned.get("after_agent"):
            self.add_error("after_agent", _("Choose the agent."))
        if after == PhoneNumber.After.FORWARD and not cleaned.get("after_number") and not self.errors:
            self.add_error("after_number", _("Write the number of the telephone."))
        return cleaned

    def _check_forward(self, cleaned: dict[str, Any]) -> None:
        """Callers are put through to what the account may call, and to nothing else."""
        for name in ("after_number", "fallback_number"):
            if number := cleaned.get(name):
                try:
                    refuse_number(number, self.instance.credential)
                except NotAllowed as error:
                    self.add_error(name, str(error))

    def _hours(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        text, zone = str(cleaned.get("week", "")).strip(), str(cleaned.get("zone", "")).strip()
        if not text:
            return {}
        if not zone:
            self.add_error("zone", _("Name the time zone of these hours, like Europe/London."))
            return {}
        try:
            hours = {**read_hours(text), "timezone": zone}
            hours_of(hours)
        except ValueError as error:
            told = {"line": str(error)}
            self.add_error("week", _("This line cannot be read: %(line)s. Write Monday: 09:00-17:00.") % told)
            return {}
        except ValidationError as error:
            params = getattr(error, "params", None) or {}
            field, remedy = str(params.get("field", "")), str(params.get("remedy", ""))
            self.add_error("zone" if field.endswith("timezone") else "week", remedy or error)
            return {}
        if not any(hours["week"].values()):
            self.add_error("week", _("Write when it is answered too, as Monday to Sunday: 00:00-24:00."))
        return hours


class SearchForm(DressedForm):
    """Numbers that can be bought."""

    account = forms.ModelChoiceField(
        Credential.objects.selling_numbers(),
        label=gettext_lazy("Account"),
        empty_label=None,
    )
    country = forms.ChoiceField(
        label=gettext_lazy("Country"),
        choices=country_choices,
        initial="US",
        widget=forms.Select(attrs=PICK),
    )
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=KINDS)
    contains = forms.RegexField(
        r"^[0-9A-Za-z*]*$",
        label=gettext_lazy("Digits in it"),
        required=False,
        max_length=16,
        widget=forms.TextInput(attrs={"placeholder": "415", "inputmode": "tel"}),
    )
    can = forms.MultipleChoiceField(
        label=gettext_lazy("Beside calls it takes"),
        required=False,
        choices=BESIDE_CALLS.items(),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["can"].widget.attrs["class"]  # boxes to tick, not switches


class BlockForm(DressedForm):
    pattern = forms.CharField(
        label=gettext_lazy("Number"),
        max_length=24,
        help_text=gettext_lazy("With its country code; * at the end blocks all that begin so."),
        widget=forms.TextInput(attrs={"placeholder": "+1 415 555 0100", "inputmode": "tel"}),
    )
    note = forms.CharField(label=gettext_lazy("Why"), required=False, max_length=200)

    def clean_pattern(self) -> str:
        """Of what no telephone can have the signs alone: who hides may tell such a number."""
        written = str(self.cleaned_data["pattern"]).strip()
        return as_e164(written) or _SEPARATORS.sub("", _TRUNK_NOUGHT.sub(r"+\1", written))
