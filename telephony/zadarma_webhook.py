"""Where Zadarma tells of calls and asks what to do with them: one address for each account."""

from __future__ import annotations

import logging
import re

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseForbidden, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from mlservices.secret_box import UnreadableSecret

from . import metrics
from .credentials import is_heard, secret_of
from .models import Credential
from .providers.zadarma import events
from .providers.zadarma.signature import SIGNED_FIELDS, notice_is_signed
from .zadarma_calls import take_notice
from .zadarma_matching import NotBelieved

logger = logging.getLogger(__name__)

_ECHO = re.compile(r"[A-Za-z0-9]{1,64}")  # more would let anybody put words onto a page of ours


@csrf_exempt
@require_http_methods(["GET", "POST"])
def zadarma_webhook(request: HttpRequest, credential_id: int) -> HttpResponse:
    """Zadarma tries the address by having it say `zd_echo`; after that it posts signed notices."""
    if "zd_echo" in request.GET or request.method == "GET":
        return _echo(request.GET.get("zd_echo", ""))
    form = request.POST.dict()
    if any("\0" in value for value in form.values()):
        return HttpResponseBadRequest("A field holds what no text holds.", content_type="text/plain")
    if form.get("event", "") not in SIGNED_FIELDS:
        return JsonResponse({})  # of no call, or not signed: nothing is done on its word
    credential = Credential.objects.filter(provider=Credential.Provider.ZADARMA, pk=credential_id).first()
    if credential is None or not _is_signed(request, form, credential):
        metrics.webhooks_refused.labels("zadarma").inc()
        logger.warning("A notice to %s without Zadarma's signature was refused.", request.path)
        return HttpResponseForbidden("Not signed by the account whose address this is.")
    try:
        notice = events.read(form)
        return JsonResponse(take_notice(credential, notice) if notice else {})
    except events.UnreadableNotice as error:
        return HttpResponseBadRequest(str(error), content_type="text/plain")
    except NotBelieved:
        logger.warning("A notice to %s that bears another call's signature was refused.", request.path)
        return HttpResponseForbidden("The signature is another call's.")


def _echo(text: str) -> HttpResponse:
    if not _ECHO.fullmatch(text):
        return HttpResponseBadRequest("Zadarma's notices are posted here.", content_type="text/plain")
    return HttpResponse(text, content_type="text/plain")


def _is_signed(request: HttpRequest, form: dict[str, str], credential: Credential) -> bool:
    try:
        secret = secret_of(credential)
    except UnreadableSecret as error:
        logger.error("%s", error)
        return False
    signed = notice_is_signed(form, request.headers.get("Signature", ""), secret)
    if signed:
        is_heard(credential)
    return signed
