"""The form of a SIP line. Its password is written, never shown: an empty field keeps it."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents.fields import dress

from ..models import Credential, SipLine
from ..sip.accounts import account_at, keep_line
from .forms import CountriesField

LABELS = {
    "label": gettext_lazy("Name"),
    "host": gettext_lazy("Registrar"),
    "port": gettext_lazy("Port"),
    "transport": gettext_lazy("Transport"),
    "user": gettext_lazy("User"),
    "auth_user": gettext_lazy("User to sign in with"),
    "domain": gettext_lazy("Domain"),
    "registers": gettext_lazy("It registers"),
    "max_calls": gettext_lazy("Calls at once"),
    "allowed_peers": gettext_lazy("Addresses that may ring it"),
    "countries": gettext_lazy("Countries that may be called"),
    "takes_transfers": gettext_lazy("The other side may pass the agent on"),
    "nat": gettext_lazy("Behind a router"),
    "stun_server": gettext_lazy("STUN server"),
    "account": gettext_lazy("Account at Zadarma"),
    "price_per_minute": gettext_lazy("Price of a minute"),
    "currency": gettext_lazy("Currency"),
    "daily_cap": gettext_lazy("Most that the calls of a day may cost"),
    "calls_per_second": gettext_lazy("Calls begun in a second"),
    "agent": gettext_lazy("Agent"),
    "enabled": gettext_lazy("It is on"),
}


class SipLineForm(forms.ModelForm):
    secret = forms.CharField(
        label=gettext_lazy("Password"),
        required=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vf-mono"}),
    )

    class Meta:
        model = SipLine
        fields = list(LABELS)
        labels = LABELS
        field_classes = {"countries": CountriesField}
        widgets = {
            "host": forms.TextInput(attrs={"placeholder": "sip.example.org"}),
            "stun_server": forms.TextInput(attrs={"placeholder": "stun.example.org:3478"}),
            "allowed_peers": forms.TextInput(attrs={"placeholder": "192.0.2.7 198.51.100.0/24"}),
            "price_per_minute": forms.NumberInput(attrs={"step": "0.00001", "min": 0}),
            "daily_cap": forms.NumberInput(attrs={"step": "0.01", "min": 0}),
            "calls_per_second": forms.NumberInput(attrs={"step": "0.1", "min": 0.1}),
        }
        help_texts = {
            "account": gettext_lazy(
                "Its notices and bills tell of this line's calls too, and its cap holds as well."
            ),
            "price_per_minute": gettext_lazy(
                "The dearest that it may call. Empty: what the account's price list says."
            ),
            "daily_cap": gettext_lazy(
                "In 24 hours; a call that goes on counts as its longest. Empty: no cap."
            ),
            "user": gettext_lazy("The login, or an extension as 123456-100."),
            "auth_user": gettext_lazy("Empty: the user."),
            "domain": gettext_lazy("What follows the @ of our address. Empty: the registrar."),
            "registers": gettext_lazy("A trunk does not: it is rung by the addresses below."),
            "allowed_peers": gettext_lazy("Beside the registrar, with spaces between."),
            "takes_transfers": gettext_lazy("To extensions and countries that the line may call."),
            "nat": gettext_lazy("How the address is found that our sound is sent to."),
            "countries": gettext_lazy("Empty: extensions of its own exchange alone."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ModelChoiceField, self.fields["agent"]).empty_label = _("Nobody")
        self.fields["countries"].required = False
        account = cast(forms.ModelChoiceField, self.fields["account"])
        account.queryset = Credential.objects.filter(provider=Credential.Provider.ZADARMA)
        account.empty_label = _("None")
        if not account.queryset.exists():
            del self.fields["account"]
        self.fields["currency"].widget.attrs["placeholder"] = settings.CURRENCY
        if self.instance.password:
            self.fields["secret"].help_text = _("It is kept, and not shown. Write here to replace it.")
        else:
            self.fields["secret"].help_text = _("Encrypted, and never shown again.")
        dress(self)

    def save(self, commit: bool = True) -> SipLine:
        """What the gateway writes is not overwritten."""
        line: SipLine = super().save(commit=False)
        return keep_line(line, changed=[*LABELS, "password"])

    def clean_currency(self) -> str:
        currency = str(self.cleaned_data["currency"]).upper()
        if currency and not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
            raise ValidationError(_("Three letters, as USD."))
        return currency

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "account" in self.fields and not cleaned.get("account"):
            cleaned["account"] = account_at(cleaned.get("host", ""))
        if secret := cleaned.get("secret"):
            try:
                self.instance.set_password(secret)
            except ValidationError as error:
                self.add_error("secret", error.message_dict["password"])
        elif cleaned.get("registers") and not self.instance.password:
            self.add_error("secret", _("A line that registers needs its password."))
        return cleaned
