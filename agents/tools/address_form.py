"""The form of what is asked at an address. Secret headers are written, never shown: an empty field keeps
those that there are."""

from __future__ import annotations

import json
from typing import Any

import httpx
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mlservices.clients.addresses import url_of
from mlservices.secret_box import UnreadableSecret, sealed

from ..fields import dress
from ..outside import private_problem
from .calling import secrets_of
from .fields import HeadersField

LINES = {"class": "vf-mono vf-short", "spellcheck": "false", "rows": 3}


class AddressForm(forms.ModelForm):
    """Of rows with `url` and `secret_headers`."""

    secrets = HeadersField(
        label=gettext_lazy("Secret headers"),
        required=False,
        widget=forms.Textarea(
            attrs={**LINES, "rows": 2, "placeholder": "Authorization: Bearer …", "autocomplete": "off"}
        ),
    )
    forget = forms.BooleanField(label=gettext_lazy("Forget the secret headers"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)
        self.fields["url"].required = True
        self.kept_url = self.instance.url
        self.kept = self._kept_names()
        if self.kept:
            names = {"names": ", ".join(self.kept)}
            self.fields["secrets"].help_text = (
                _("Kept: %(names)s. They are not shown; write here to replace them.") % names
            )
        else:
            self.fields["secrets"].help_text = _("Encrypted, and never shown again.")

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"]).strip()
        try:
            parsed = url_of(url)
        except ValueError:
            raise ValidationError(
                _("This is no address: write it like https://api.example.com/bookings.")
            ) from None
        if parsed.scheme not in ("http", "https") or not parsed.host:
            raise ValidationError(_("Begin with https:// and the name of the server."))
        if parsed.userinfo:
            raise ValidationError(_("Put the name and password into a secret header instead."))
        if problem := private_problem(parsed):
            raise ValidationError(problem)
        return url

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            self._check_secrets(cleaned)
        return cleaned

    def save(self, commit: bool = True) -> Any:
        row = super().save(commit=False)
        if self.cleaned_data["forget"]:
            row.secret_headers = ""
        if secrets := self.cleaned_data["secrets"]:
            row.secret_headers = sealed(json.dumps(secrets))
        if commit:
            row.save()
        return row

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
