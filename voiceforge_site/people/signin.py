"""Signing in: by password, then by a code where one is asked for; and the first time, by an invitation."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ..access import codes, passwords, throttle
from ..access.address import address_of
from ..access.sessions import sign_in
from ..models import Invitation, User
from . import actions
from .forms import AcceptForm, CodeForm, NewPasswordForm, SignInForm, refuse_while_waiting, wrong

logger = logging.getLogger(__name__)

SECOND_STEP = "second_step"  # in the session: who has given the password, and owes a code
SECOND_STEP_SECONDS = 300


class SignIn(LoginView):
    """Answers 422 to what is wrong and 429 to who has to wait, with the form as it was filled in."""

    form_class = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """`why` they come here, as `access.gate` and the scripts of pages say."""
        return super().get_context_data(**context, why=self.request.GET.get("why", ""))

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.get_user()
        if not user.signs_in_with_code:
            return _in(self.request, user, self.get_success_url())
        self.request.session[SECOND_STEP] = {
            "user": user.pk,
            "password": user.get_session_auth_hash(),
            "at": time.time(),
            "next": self.get_success_url(),
        }
        return redirect("login_code")

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=_status(form))


class SignOut(LogoutView):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if isinstance(request.user, User):
            actions.signed_out(user=request.user)
        return super().post(request, *args, **kwargs)


def sign_in_code(request: HttpRequest) -> HttpResponse:
    """The second step. Without the first, or long after it, back to the beginning."""
    pending = request.session.get(SECOND_STEP, {})
    user = _who_owes_a_code(pending)
    if user is None:
        return redirect("login")
    form = CodeForm(request.POST or None)
    if form.is_valid():
        try:
            refuse_while_waiting(request, user.username)
            if codes.take_code(user, form.cleaned_data["code"]):
                return _in(request, user, pending["next"])
            raise wrong(
                request, user.username, _("This code is wrong, or was used before. Wait for the next one.")
            )
        except ValidationError as error:
            form.add_error("code", error)
    return render(request, "registration/code.html", {"form": form}, status=_status(form))


def _who_owes_a_code(pending: dict[str, Any]) -> User | None:
    if time.time() - pending.get("at", 0) > SECOND_STEP_SECONDS:
        return None
    user = User.objects.filter(pk=pending["user"], is_active=True).first()
    if user is None or not constant_time_compare(user.get_session_auth_hash(), pending["password"]):
        return None
    return user


def _in(request: HttpRequest, user: User, address: str) -> HttpResponse:
    throttle.right_try(request, user.username)
    request.session.pop(SECOND_STEP, None)
    sign_in(request, user)
    actions.signed_in(user=user)
    logger.info("%s signed in from %s.", user.username, address_of(request))
    return redirect(address)


def _status(form: Any) -> int:
    waiting = any(error.code == "wait" for errors in form.errors.as_data().values() for error in errors)
    return 429 if waiting else 422 if form.errors else 200


def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Where an invited person makes their account, or chooses a new password for the one they have."""
    found = actions.invitation_of(token)
    if found is None or found.used_at or found.is_expired:
        status = 404 if found is None else 410
        return render(request, "registration/invitation_over.html", {"invitation": found}, status=status)
    sent = request.POST or None
    form = NewPasswordForm(found.account, sent) if found.account else AcceptForm(sent)
    if request.method == "POST" and not request.user.is_authenticated and form.is_valid():
        try:
            return _accepted(request, found, form)
        except ValidationError as error:
            _add_errors(form, error)
    context = {"invitation": found, "form": form, "rules": passwords.rules()}
    return render(request, "registration/invitation.html", context, status=_status(form))


def _accepted(request: HttpRequest, link: Invitation, form: AcceptForm | NewPasswordForm) -> HttpResponse:
    """In, unless the account asks for a code as well. Raises ValidationError."""
    password = form.cleaned_data["new_password"]
    if isinstance(form, AcceptForm):
        return _in(request, actions.accept(invitation=link, user=form.instance, password=password), "home")
    user = actions.accept_new_password(invitation=link, password=password)
    return redirect("login") if user.signs_in_with_code else _in(request, user, "home")


def _add_errors(form: AcceptForm | NewPasswordForm, error: ValidationError) -> None:
    """Those by field at their field; the others are of the password."""
    if not hasattr(error, "error_dict"):
        form.add_error("new_password", error)
        return
    for name, errors in error.error_dict.items():
        form.add_error(name if name in form.fields else None, errors)


@require_POST
def password_rules(request: HttpRequest) -> JsonResponse:
    """Which of the rules the password that is being typed keeps, in their order."""
    user = request.user
    if not isinstance(user, User):
        user = User(username=request.POST.get("username", ""), name=request.POST.get("name", ""))
    return JsonResponse({"kept": passwords.kept(request.POST.get("new_password", "")[:256], user)})
