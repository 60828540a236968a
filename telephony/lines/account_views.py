"""Pages of accounts with providers."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mlservices.pages.countries import country_names
from mlservices.secret_box import UnreadableSecret

from ..models import Credential
from ..outbound.guard import countries_of
from ..providers.zadarma.errors import ZadarmaError
from ..zadarma import set_webhooks
from .accounts import ProviderError
from .actions import add_credential, change_credential, check_credential, delete_credential, replace_secret
from .forms import LimitsForm, NewAccountForm, SecretForm
from .number_actions import import_numbers
from .number_views import imported


@require_safe
def account_list(request: HttpRequest) -> HttpResponse:
    accounts = Credential.objects.real().annotate(count=Count("numbers"))
    return render(request, "lines/accounts.html", {"accounts": accounts})


@require_http_methods(["GET", "HEAD", "POST"])
def account_new(request: HttpRequest) -> HttpResponse:
    """It is asked at once what it is; one that does not answer is kept all the same, and says why."""
    form = NewAccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        by = request.user.get_username()
        try:
            account = add_credential(**form.cleaned_data, by=by)
        except ValidationError as error:
            form.add_error("account", error)
        else:
            check_credential(credential=account, by=by)
            return redirect(account)
    return render(request, "lines/account_new.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest, pk: int) -> HttpResponse:
    """A POST changes its name and limits."""
    credential = get_object_or_404(Credential.objects.real(), pk=pk)
    form = LimitsForm(request.POST or None, instance=credential)
    if request.method == "POST" and form.is_valid():
        change_credential(credential=credential, by=request.user.get_username(), **form.cleaned_data)
        messages.success(request, _("%(name)s is saved") % {"name": form.cleaned_data["label"]})
        return redirect(credential)
    return _page(request, credential, form, SecretForm())


@require_POST
def account_secret(request: HttpRequest, pk: int) -> HttpResponse:
    credential = get_object_or_404(Credential.objects.real(), pk=pk)
    form = SecretForm(request.POST)
    if not form.is_valid():
        return _page(request, credential, LimitsForm(instance=credential), form)
    by = request.user.get_username()
    credential = replace_secret(credential=credential, secret=form.cleaned_data["secret"], by=by)
    if check_credential(credential=credential, by=by):
        messages.success(request, _("The new secret works"))
    return redirect(credential)


@require_POST
def account_check(request: HttpRequest, pk: int) -> HttpResponse:
    credential = get_object_or_404(Credential.objects.real(), pk=pk)
    check_credential(credential=credential, by=request.user.get_username())
    return redirect(credential)


@require_POST
def account_import(request: HttpRequest, pk: int) -> HttpResponse:
    credential = get_object_or_404(Credential.objects.real(), pk=pk)
    try:
        new, all_of_them = import_numbers(credential=credential, by=request.user.get_username())
    except ProviderError as error:
        messages.error(request, str(error))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, imported(new, all_of_them))
    return redirect("lines:numbers")


@require_POST
def account_notices(request: HttpRequest, pk: int) -> HttpResponse:
    """Of an account with Zadarma, which is told one address for all its numbers."""
    credential = get_object_or_404(Credential.objects.real(), pk=pk, provider=Credential.Provider.ZADARMA)
    try:
        done = set_webhooks(credential, by=request.user.get_username())
    except (ZadarmaError, UnreadableSecret) as error:
        messages.error(request, str(error))
    else:
        told = {"before": done.before.url or "–", "after": done.after.url}
        messages.success(request, _("It tells of calls at %(after)s; before: %(before)s") % told)
    return redirect(credential)


@require_POST
def account_delete(request: HttpRequest, pk: int) -> HttpResponse:
    credential = get_object_or_404(Credential.objects.real(), pk=pk)
    try:
        delete_credential(credential=credential, by=request.user.get_username())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(credential)
    messages.success(request, _("%(name)s is deleted") % {"name": credential.label})
    return redirect("lines:accounts")


def _page(
    request: HttpRequest, credential: Credential, form: LimitsForm, secret_form: SecretForm
) -> HttpResponse:
    context = {
        "account": credential,
        "form": form,
        "secret_form": secret_form,
        "countries": country_names(countries_of(credential)),
        "numbers": credential.numbers.count(),
    }
    status = 422 if form.errors or secret_form.errors else 200
    return render(request, "lines/account.html", context, status=status)
