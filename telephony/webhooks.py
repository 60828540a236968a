"""Where lines announce calls. A webhook verifies, reads and answers; `actions` do the work."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from mlservices.secret_box import UnreadableSecret

from . import actions
from .addresses import public_url
from .admission import issue_token
from .capacity import capacity
from .credentials import remember, secret_of
from .lines.answering import answer_for
from .models import Call, Credential, PhoneNumber, PlannedCall
from .outbound.actions import knows_id, plan_of
from .outbound.guard import NotAllowed, refuse_number
from .providers.twilio import twiml
from .providers.twilio.signature import request_is_signed

logger = logging.getLogger(__name__)

MACHINES = ("machine", "fax")  # what Twilio says of them begins so
TWILIO_SOCKET = "/ws/media/twilio/"
# The stream ended without our having ended the call: our side failed, not the caller.
FAILED_ENDINGS = ("line_lost", "server_restarted", "engine_failure")

SignedView = Callable[..., HttpResponse]


def from_twilio(view: SignedView) -> SignedView:
    """Lets only requests through that Twilio signed with the token of the account they name.

    The view gets that account's `Credential` as its second argument.
    """

    @csrf_exempt
    @require_POST
    @wraps(view)
    def verified(request: HttpRequest, **kwargs: object) -> HttpResponse:
        credential = Credential.objects.filter(
            provider=Credential.Provider.TWILIO, account=request.POST.get("AccountSid", "")
        ).first()
        if credential is None or not _is_signed(request, credential):
            logger.warning("A request to %s without Twilio's signature was refused.", request.path)
            return HttpResponseForbidden("Not signed by an account that is set up here.")
        return view(request, credential, **kwargs)

    return verified


def _is_signed(request: HttpRequest, credential: Credential) -> bool:
    try:
        signed = request_is_signed(request, secret_of(credential))
    except UnreadableSecret as error:
        logger.error("%s", error)
        return False
    if signed or "X-Twilio-Signature" in request.headers:  # who sends none is not Twilio
        remember(credential, fits=signed)
    return signed


@from_twilio
def twilio_voice(request: HttpRequest, credential: Credential) -> HttpResponse:
    """A call comes in: connect it to our socket, or say why not."""
    number = (
        PhoneNumber.objects.filter(number=request.POST.get("To", ""), credential=credential)
        .select_related("agent", "after_agent")
        .first()
    )
    answer = answer_for(number, request.POST.get("From", ""))
    if answer.forward:
        return _put_through(answer.forward, credential)
    if answer.words:
        return _say(answer.words)
    if number is None or answer.agent is None:
        return _xml(twiml.reject())
    if capacity.full():
        logger.warning("A call to %s was turned away: %s.", number.number, capacity.describe())
        return _say("Sorry, all our lines are busy. Please call again in a few minutes. Goodbye.")
    try:
        call = actions.answer_call(
            line="twilio",
            agent=answer.agent,
            number=number,
            provider_call_id=request.POST["CallSid"],
            caller=request.POST.get("From", ""),
            callee=number.number,
        )
    except actions.WrongNumber:
        return HttpResponseForbidden("This call is another number's.")
    if call.ended_at:
        return _xml(twiml.hang_up())
    return _connected(call)


def _connected(call: Call) -> HttpResponse:
    return _xml(
        twiml.connect(
            socket_url=public_url(TWILIO_SOCKET, websocket=True),
            token=issue_token(call),
            after_url=public_url(reverse("telephony:twilio_after", args=[call.pk])),
        )
    )


@from_twilio
def twilio_answered(request: HttpRequest, credential: Credential, call_id: UUID) -> HttpResponse:
    """Somebody, or something, answers a call of ours."""
    call = _placed(request, credential, call_id)
    answered_by = request.POST.get("AnsweredBy", "")[:24]
    Call.objects.filter(pk=call.pk).update(answered_by=answered_by)
    planned = plan_of(call)
    if answered_by.startswith(MACHINES) and planned and planned.machine != PlannedCall.Machine.IGNORE:
        actions.end_call(call.pk, reason="machine")
        if planned.machine == PlannedCall.Machine.MESSAGE and answered_by != "fax":
            return _xml(twiml.say_and_hang_up(planned.message, language=call.agent.language))
        return _xml(twiml.hang_up())
    if call.ended_at:
        return _xml(twiml.hang_up())
    if capacity.full():
        logger.warning("A call that was answered found no free line: %s.", capacity.describe())
        return _say("Sorry, all our lines are busy. Goodbye.")
    return _connected(call)


@from_twilio
def twilio_placed(request: HttpRequest, credential: Credential, call_id: UUID) -> HttpResponse:
    """How a call of ours goes, as Twilio sees it."""
    _placed(request, credential, call_id)
    return _told(request, credential)


def _placed(request: HttpRequest, credential: Credential, call_id: UUID) -> Call:
    """Twilio may ask before it has answered that it took the call, and told us its id."""
    provider_call_id = request.POST.get("CallSid", "")
    knows_id(call_id, credential, provider_call_id)
    return get_object_or_404(
        Call.objects.select_related("agent"),
        pk=call_id,
        phone_number__credential=credential,
        provider_call_id=provider_call_id,
    )


@from_twilio
def twilio_after(request: HttpRequest, credential: Credential, call_id: UUID) -> HttpResponse:
    """The stream has ended and the caller is still there: hand over, or say goodbye.

    Reached too when our server died in the middle of the call.
    """
    call = get_object_or_404(
        Call.objects.select_related("agent"),
        pk=call_id,
        phone_number__credential=credential,
        provider_call_id=request.POST.get("CallSid", ""),
    )
    if actions.end_call(call.pk, reason="line_lost"):
        call.refresh_from_db()
    if call.transfer_to:
        return _put_through(call.transfer_to, credential)
    if call.end_reason not in FAILED_ENDINGS:
        return _xml(twiml.hang_up())
    if call.agent.failure_number:
        return _put_through(call.agent.failure_number, credential)
    return _say("Sorry, something went wrong on our side. Please call again. Goodbye.")


@from_twilio
def twilio_dialled(request: HttpRequest, credential: Credential) -> HttpResponse:
    """Whom we had put the caller through to has hung up, or did not answer at all."""
    if request.POST.get("DialCallStatus", "") in ("completed", "answered"):
        return _xml(twiml.hang_up())
    return _say("Sorry, nobody could be reached at the moment. Please call again later. Goodbye.")


@from_twilio
def twilio_status(request: HttpRequest, credential: Credential) -> HttpResponse:
    """How the call goes, as Twilio sees it."""
    return _told(request, credential)


def _told(request: HttpRequest, credential: Credential) -> HttpResponse:
    sequence = request.POST.get("SequenceNumber", "")
    try:
        actions.apply_provider_status(
            line="twilio",
            credential=credential,
            provider_call_id=request.POST.get("CallSid", ""),
            status=request.POST.get("CallStatus", ""),
            sequence=int(sequence) if sequence else None,
        )
    except ValueError:
        return HttpResponse("CallStatus or SequenceNumber is none that Twilio documents.", status=400)
    return HttpResponse(status=204)


def _put_through(number: str, credential: Credential) -> HttpResponse:
    """What holds for calls that we place holds for those that we pass on, whoever named the number."""
    try:
        refuse_number(number, credential)
    except NotAllowed as error:
        logger.warning("A caller was not put through: %s", error)
        return _say("Sorry, that number cannot be reached from here. Goodbye.")
    return _xml(twiml.dial(number, after_url=public_url(reverse("telephony:twilio_dialled"))))


def _say(text: str) -> HttpResponse:
    """In English, as agents speak; the provider's voice says it."""
    return _xml(twiml.say_and_hang_up(text, language="en-US"))


def _xml(document: str) -> HttpResponse:
    return HttpResponse(document, content_type="text/xml")
