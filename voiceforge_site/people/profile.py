"""The pages on which everybody looks after their own account."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from mlservices.pages.zones import zones
from mlservices.secret_box import UnreadableSecret

from ..access import codes, passwords, throttle
from ..access.roles import abilities_of
from ..access.viewer import browsers_zone
from ..models import User
from . import actions
from .forms import ChangePasswordForm, CodeForm, OwnPasswordForm, ProfileForm
from .sessions_list import Browser, browsers_of

PENDING = "code_secret"  # in the session, sealed: what was shown for the app and is not confirmed yet


def _me(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the gate lets nobody else in
    return request.user


def profile(request: HttpRequest) -> HttpResponse:
    """Everything of one's own on one page; POST saves name, zone and language."""
    me = _me(request)
    form = ProfileForm(
        request.POST or None, instance=User.objects.get(pk=me.pk), browsers_zone=browsers_zone(request)
    )
    if request.method == "POST" and form.is_valid():
        actions.save_profile(user=form.save(commit=False))
        language = form.cleaned_data["language"] or translation.get_language_from_request(request)
        with translation.override(language):
            messages.success(request, _("Your profile is saved"))
        return redirect("profile:profile")
    return _page(request, form=form)


@require_POST
def password(request: HttpRequest) -> HttpResponse:
    form = ChangePasswordForm(request, request.POST)
    if form.is_valid():
        me = _me(request)
        try:
            actions.change_password(user=me, password=form.cleaned_data["new_password"])
        except ValidationError as error:
            form.add_error("new_password", error)
        else:
            throttle.right_try(request, me.username)
            update_session_auth_hash(request, me)
            messages.success(request, _("Your password is changed; all other browsers are signed out"))
            return redirect("profile:profile")
    return _page(request, password_form=form)


@require_POST
def end_session(request: HttpRequest) -> HttpResponse:
    """Signs one other browser out (`browser`, as the page names it), or all others."""
    me, own_key = _me(request), request.session.session_key
    if request.POST.get("browser") == "others":
        ended = actions.end_sessions(user=me, by=me, but=own_key)
        words = ngettext(
            "%(count)d other browser is signed out", "%(count)d other browsers are signed out", ended
        )
        messages.success(request, words % {"count": ended})
    else:
        found = _browser(request, request.POST.get("browser", ""))
        actions.end_session(user=me, key=found.key)
        messages.success(request, _("%(browser)s is signed out") % {"browser": found.name})
    return redirect("profile:profile")


def _browser(request: HttpRequest, handle: str) -> Browser:
    for browser in browsers_of(_me(request), request.session.session_key):
        if browser.handle == handle and not browser.is_this:
            return browser
    raise Http404


def set_up_codes(request: HttpRequest) -> HttpResponse:
    """GET shows a secret for the app; POST with a code of it switches the second step on."""
    me = _me(request)
    if me.signs_in_with_code:
        return redirect("profile:profile")
    secret = request.session.get(PENDING) or codes.new_secret()
    request.session[PENDING] = secret
    form = CodeForm(request.POST or None)
    if form.is_valid():
        try:
            recovery = actions.require_codes(user=me, secret=secret, code=form.cleaned_data["code"])
        except ValidationError as error:
            form.add_error("code", error)
        else:
            del request.session[PENDING]
            return render(request, "profile/recovery_codes.html", {"recovery": recovery, "fresh": True})
    try:
        shown = {"picture": codes.picture(secret, me.username), "secret": codes.secret_in_groups(secret)}
    except UnreadableSecret:  # the key has changed since
        del request.session[PENDING]
        return redirect("profile:codes")
    status = 422 if form.errors else 200
    return render(request, "profile/codes.html", {"form": form, **shown}, status=status)


@require_POST
def codes_off(request: HttpRequest) -> HttpResponse:
    me, form = _me(request), OwnPasswordForm(request, request.POST)
    if not form.is_valid():
        return _page(request, off_form=form)
    actions.stop_requiring_codes(user=me, by=me)
    messages.success(request, _("Two-step sign-in is off"))
    return redirect("profile:profile")


@require_POST
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """New ones, shown this once; the old ones are worth nothing any more."""
    me, form = _me(request), OwnPasswordForm(request, request.POST)
    if not me.signs_in_with_code:
        return redirect("profile:profile")
    if not form.is_valid():
        return _page(request, recovery_form=form)
    return render(request, "profile/recovery_codes.html", {"recovery": actions.renew_recovery_codes(user=me)})


def _page(request: HttpRequest, **bound: Any) -> HttpResponse:
    """The profile with the form that was sent, if one was, in place of an empty one."""
    me = User.objects.get(pk=_me(request).pk)
    forms = {
        "form": ProfileForm(instance=me, browsers_zone=browsers_zone(request)),
        "password_form": ChangePasswordForm(request),
        "off_form": OwnPasswordForm(request, auto_id="off_%s"),
        "recovery_form": OwnPasswordForm(request, auto_id="recovery_%s"),
    } | bound
    context = {
        **forms,
        "rules": passwords.rules(),
        "zones": zones(),
        "browsers": browsers_of(me, request.session.session_key),
        "recovery_left": me.recovery_codes.count() if me.signs_in_with_code else 0,
        "abilities": abilities_of(me.role),
        "now": timezone.now(),
    }
    failed = any(each.errors for each in forms.values())
    return render(request, "profile/profile.html", context, status=422 if failed else 200)
