"""Forms of signing in, of one's own account and of inviting others."""

from __future__ import annotations

import logging
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mlservices.pages.limits import explain_limits
from mlservices.pages.zones import zones

from ..access import throttle
from ..access.address import address_of
from ..access.roles import Role
from ..models import Invitation, User
from .actions import was_refused

logger = logging.getLogger(__name__)

NEW_PASSWORD = {
    "autocomplete": "new-password",
    "data-new-password": "",
    "aria-describedby": "password-rules id_new_password_error",  # profile/_rules.html, and what is wrong
}


def _dress(form: forms.BaseForm) -> None:
    explain_limits(form)
    for field in form.fields.values():
        field.widget.attrs["class"] = "vf-input"


def refuse_while_waiting(request: HttpRequest, username: str) -> None:
    """Raises ValidationError with the words that say how long to wait."""
    if seconds := throttle.wait_seconds(request, username):
        raise ValidationError(throttle.waiting_words(seconds), code="wait")


def wrong(request: HttpRequest, username: str, words: str) -> ValidationError:
    """Counts a wrong try, and says so to the person and to the log; what was typed is in neither."""
    throttle.wrong_try(request, username)
    was_refused(username=username)
    known = username if User.objects.filter(username__iexact=username).exists() else "an unknown account"
    logger.warning("A wrong password or code for %s from %s.", known, address_of(request))
    if seconds := throttle.wait_seconds(request, username):
        return ValidationError(f"{words} {throttle.waiting_words(seconds)}", code="wait")
    return ValidationError(words, code="wrong")


class SignInForm(AuthenticationForm):
    """Says the same of an account that does not exist, is deactivated, or has another password."""

    error_messages = {"invalid_login": _("Username or password is wrong.")}
    request: HttpRequest

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username", "")
        if not self.cleaned_data.get("password"):
            return self.cleaned_data
        refuse_while_waiting(self.request, username)
        try:
            return super().clean()
        except ValidationError as error:
            raise wrong(self.request, username, " ".join(error.messages)) from None


class CodeForm(forms.Form):
    """The second step; whoever uses the form looks whether the code is right."""

    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _dress(self)


class OwnPasswordForm(forms.Form):
    """Asks for the password again before something that a stranger at an open browser must not do."""

    password = forms.CharField(
        label=_("Your password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        strip=False,
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        _dress(self)

    def clean_password(self) -> str:
        user, password = self.request.user, self.cleaned_data["password"]
        assert isinstance(user, User)
        refuse_while_waiting(self.request, user.username)
        if not user.check_password(password):
            raise wrong(self.request, user.username, gettext("This is not your password."))
        return str(password)


class _NewPassword(forms.Form):
    """Judges the new password together with everything else, so that one round tells all faults."""

    new_password = forms.CharField(
        label=_("New password"), widget=forms.PasswordInput(attrs=NEW_PASSWORD), strip=False
    )

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        password = self.cleaned_data.get("new_password")
        if password:
            try:
                validate_password(password, self.owner())
            except ValidationError as error:
                self.add_error("new_password", error)
        return cleaned

    def owner(self) -> User:
        """Whom the password must not be like."""
        raise NotImplementedError


class ChangePasswordForm(_NewPassword, OwnPasswordForm):
    field_order = ["password", "new_password"]

    def owner(self) -> User:
        assert isinstance(self.request.user, User)
        return self.request.user


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ["name", "email", "time_zone", "language"]
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
            "email": forms.EmailInput(attrs={"autocomplete": "email"}),
        }
        help_texts = {
            "email": _("So that colleagues can reach you. VoiceForge sends no mail."),
            "time_zone": _("Type a city or a continent to search. Empty: the zone of your browser."),
        }

    language = forms.ChoiceField(label=_("Language"), required=False)

    def __init__(self, *args: Any, browsers_zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].widget.attrs |= {
            "list": "timezones",
            "placeholder": browsers_zone,
            "autocomplete": "off",
            "spellcheck": "false",
        }
        as_asked = ("", gettext("What the browser asks for"))
        language = self.fields["language"]
        assert isinstance(language, forms.ChoiceField)
        language.choices = [as_asked, *settings.LANGUAGES]
        _dress(self)

    def clean_time_zone(self) -> str:
        """As people write it: "europe/new york" is found too."""
        written = self.cleaned_data["time_zone"].strip()
        if not written:
            return ""
        by_spelling = {zone.lower(): zone for zone in zones()}
        if zone := by_spelling.get(written.lower().replace(" ", "_")):
            return zone
        raise ValidationError(_("There is no such time zone. Choose one of the list, like Europe/Berlin."))


class InviteForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Invitation
        fields = ["meant_for", "role"]
        labels = {"meant_for": _("For whom")}
        help_texts = {"meant_for": _("A name that tells you later whose link this is.")}
        widgets = {"meant_for": forms.TextInput(attrs={"autocomplete": "off"})}

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.VIEWER)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _dress(self)


class NewPasswordForm(_NewPassword):
    def __init__(self, account: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._account = account
        _dress(self)

    def owner(self) -> User:
        return self._account


class AcceptForm(_NewPassword, forms.ModelForm):  # type: ignore[type-arg]
    field_order = ["name", "username", "new_password"]

    class Meta:
        model = User
        fields = ["name", "username"]
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
            "username": forms.TextInput(
                attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
            ),
        }
        labels = {"name": _("Your name")}
        help_texts = {"username": _("You sign in with it: letters, digits and @ . + - _")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = True
        self.fields["new_password"].label = _("Password")
        _dress(self)

    def owner(self) -> User:
        typed = self.cleaned_data
        return User(username=typed.get("username", ""), name=typed.get("name", ""))
