"""What is answered when something cannot be: a page that says what to do, or a few words for a script.

Signed-in people keep the shell around it; strangers get it bare. A view answers `error_page(request, 429)`;
an empty answer with such a status (a method that is not known, say) is filled in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import requires_csrf_token

from mlservices.api.answers import refusal

from . import request_ids
from .access.keys import API
from .access.roles import ABILITIES, Role
from .access.rules import PAGES, Rule
from .navigation import may_open

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fault:
    """`code` is for scripts; `remedy` says what was kept and what to do."""

    code: str
    icon: str
    title: Any
    remedy: Any


FAULTS = {
    400: Fault(
        "bad_request",
        "circle-alert",
        _("The server could not read this"),
        _("Nothing was changed. Go back and try again; a link that you followed may have been cut short."),
    ),
    403: Fault(
        "forbidden",
        "lock",
        _("You may not do this"),
        _("Ask an administrator for access, or sign in with another account."),
    ),
    404: Fault(
        "not_found",
        "search-x",
        _("There is nothing here"),
        _(
            "The page may have been removed or its address mistyped. Agents keep their address when they are "
            "renamed; calls are listed in the history."
        ),
    ),
    405: Fault(
        "method_not_allowed",
        "circle-alert",
        _("This address does not work that way"),
        _("Nothing was changed. Go back and use the buttons of the page."),
    ),
    413: Fault(
        "too_large",
        "file-up",
        _("This is too much at once"),
        _("Nothing was changed. Go back and send less, or a smaller file."),
    ),
    429: Fault(
        "too_many_requests",
        "hourglass",
        _("Too many requests"),
        _("Nothing was lost. Wait a minute, then try again."),
    ),
    500: Fault(
        "server_error",
        "server-crash",
        _("Something broke on our side"),
        _(
            "What you sent may not have been saved. Try again; if it happens again, give the number below to "
            "who runs this server: its log says more under it. Calls that are under way go on."
        ),
    ),
}
# What fits a program better than what a person is told.
_TO_PROGRAMS = {
    404: _("There is nothing at this address of the API."),
    405: _("This address takes no request of this method: the header Allow names those that it takes."),
    413: _("This is too much at once: send less, or in parts."),
}
_NO_TOKEN = _("A page of this site has to send its X-CSRFToken; a program sends an API key.")
SEND_A_KEY = "Send an API key: `Authorization: Bearer KEY`."
EXPIRED = Fault(
    "form_expired",
    "timer-off",
    _("The form has expired"),
    _(
        "Nothing was changed. Go back, reload the page and send the form again. Cookies must be allowed for "
        "this site."
    ),
)


def error_page(
    request: HttpRequest, status: int, fault: Fault | None = None, remedy: str = ""
) -> HttpResponse:
    """A page for people; JSON or one line for scripts."""
    fault = fault or FAULTS[status]
    remedy = remedy or str(fault.remedy)
    words = f"{fault.title}. {remedy}"
    if request.path.startswith(API):
        return refusal(status, str(_TO_PROGRAMS.get(status, words)))
    if _asked_for_json(request):
        error = {"code": fault.code, "message": words, "request": request_ids.current()}
        return JsonResponse({"error": error}, status=status)
    if not _asked_by_person(request):
        return HttpResponse(f"{words}\n", status=status, content_type="text/plain; charset=utf-8")
    context = {
        "status": status,
        "fault": fault,
        "remedy": remedy,
        "shell": "base.html" if _signed_in(request) else "base_bare.html",
        "request_id": request_ids.current(),
        "home": not _signed_in(request) or may_open(request.user, "home"),
    }
    return HttpResponse(render_to_string("errors/error.html", context, request), status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 413 if isinstance(exception, RequestDataTooBig) else 400)


@requires_csrf_token
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Says which ability is missing, and who has it to give."""
    return error_page(request, 403, remedy=_missing(request))


@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 404)


@requires_csrf_token
def expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    if request.path.startswith(API):
        if not _signed_in(request):
            return refusal(401, SEND_A_KEY)
        return refusal(403, str(_NO_TOKEN))
    return error_page(request, 403, fault=EXPIRED)


@requires_csrf_token
def failed(request: HttpRequest) -> HttpResponse:
    """The shell asks the database, which may be what is broken: then a page that asks nothing."""
    try:
        return error_page(request, 500)
    except Exception:
        log.exception("The page of an error failed as well.")
        context = {"fault": FAULTS[500], "request_id": request_ids.current()}
        return HttpResponse(render_to_string("errors/bare_500.html", context), status=500)


class ErrorPages:
    """Middleware: fills in answers that have a status and nothing else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code not in (405, 413, 429) or response.streaming or response.content:
            return response
        page = error_page(request, response.status_code)
        for name, value in response.items():
            if name not in ("Content-Type", "Content-Length"):
                page[name] = value  # Allow, Retry-After
        return page


def _missing(request: HttpRequest) -> str:
    match = getattr(request, "resolver_match", None)
    rule = PAGES.get(match.view_name, Rule()) if match else Rule()
    ability = rule.needed(request.method)
    if ability not in ABILITIES or not _signed_in(request) or request.user.has_perm(ability):
        return ""  # it was refused for another reason
    what, roles = ABILITIES[ability]
    if getattr(request.user, "role", "") in roles:
        return gettext(
            "It takes the ability “%(ability)s”, which this API key does not have among its scopes. "
            "Tick it on the key's page, or make another key."
        ) % {"ability": what}
    names = [str(Role(role).label) for role in Role if role in roles]
    return ngettext(
        "It takes the ability “%(ability)s”, which this role has: %(roles)s. "
        "An administrator can give you that role.",
        "It takes the ability “%(ability)s”, which these roles have: %(roles)s. "
        "An administrator can give you one of them.",
        len(names),
    ) % {"ability": what, "roles": ", ".join(names)}


def _asked_for_json(request: HttpRequest) -> bool:
    accepted = request.headers.get("Accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def _asked_by_person(request: HttpRequest) -> bool:
    """A browser that opens a page names text/html; htmx and fetch show no page of ours."""
    if getattr(request, "htmx", False) or request.headers.get("X-Requested-With") == "fetch":
        return False
    accepted = request.headers.get("Accept", "")
    return not accepted or "text/html" in accepted


def _signed_in(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)  # there is none yet where the address was refused at the door
    return bool(user and user.is_authenticated)
