"""Where lines announce calls. A webhook verifies, reads and answers; `actions` do the work."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import wraps
from typing import cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from mlservices.about import about
from mlservices.secret_box import UnreadableSecret

from . import actions, metrics
from .addresses import public_url
from .admission import issue_token
from .capacity import capacity
from .credentials import is_heard, secret_of
from .lines.answering import answer_for
from .lines.limiting import limit_at_carrier
from .models import Call, Credential, PhoneNumber, PlannedCall
from .outbound.actions import is_with_people, knows_id, plan_of
from .outbound.guard import LONGEST_OF_PEOPLE, NotAllowed, refuse_number
from .outbound.machines import is_machine, message_to_machine
from .outbound.other_costs import set_aside_transfer, transfer_lasted
from .providers.twilio import twiml
from .providers.twilio.signature import request_is_signed
from .recordings import actions as recordings
from .session.events import TransferStatus

logger = logging.getLogger(__name__)

TWILIO_SOCKET = "/ws/media/twilio/"
# The stream ended without our having ended the call: our side failed, not the caller.
# Of a recording: whether there is sound to be fetched; None while it is being made.
RECORDING_STATES = {"in-progress": None, "completed": True, "absent": False, "failed": False}
DIAL_STATUSES = ("completed", "answered", "busy", "no-answer", "failed", "canceled")
CALL_SID = re.compile(r"\w{1,64}")
SEQUENCE = re.compile(r"[0-9]{1,9}")
LONGEST_SECONDS = 6  # digits
RECORDING_SID = re.compile(r"RE[0-9a-f]{32}")
NO_RECORDING = gettext_lazy("Twilio has no recording of this call (%(code)s).")
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
        if any("\0" in value for _name, values in request.POST.lists() for value in values):
            return HttpResponse("A field holds what no text holds.", status=400)  # nor a database takes
        credential = Credential.objects.filter(
            provider=Credential.Provider.TWILIO, account=request.POST.get("AccountSid", "")
        ).first()
        if credential is None or not _is_signed(request, credential):
            metrics.webhooks_refused.labels("twilio").inc()
            logger.warning("A request to %s without Twilio's signature was refused.", request.path)
            return HttpResponseForbidden("Not signed by an account that is set up here.")
        if not CALL_SID.fullmatch(request.POST.get("CallSid", "")):
            return HttpResponse("CallSid is none that Twilio gives.", status=400)
        with about(call=str(kwargs.get("call_id", ""))):
            return view(request, credential, **kwargs)

    return verified


def _is_signed(request: HttpRequest, credential: Credential) -> bool:
    try:
        signed = request_is_signed(request, secret_of(credential))
    except UnreadableSecret as error:
        logger.error("%s", error)
        return False
    if signed:
        is_heard(credential)
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
        return _put_through(request, answer.forward, credential)
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
    recorded_url = ""
    if recordings.is_wanted(call):
        recordings.expect(call=call)
        recorded_url = public_url(reverse("telephony:twilio_recording"))
    return _xml(
        twiml.connect(
            socket_url=public_url(TWILIO_SOCKET, websocket=True),
            token=issue_token(call),
            after_url=public_url(reverse("telephony:twilio_after", args=[call.pk])),
            recorded_url=recorded_url,
        )
    )


@from_twilio
def twilio_answered(request: HttpRequest, credential: Credential, call_id: UUID) -> HttpResponse:
    """Somebody, or something, answers a call of ours."""
    call = _placed(request, credential, call_id)
    call.answered_by = request.POST.get("AnsweredBy", "")[:24]
    call.save(update_fields=["answered_by"])
    planned = plan_of(call)
    message = message_to_machine(call, planned)
    if call.ended_at:
        return _xml(twiml.hang_up())
    if is_machine(call) and planned and planned.machine != PlannedCall.Machine.IGNORE and not message:
        actions.end_call(call.pk, reason="machine")
        return _xml(twiml.hang_up())
    if capacity.full() and message:
        actions.end_call(call.pk, reason="machine")
        return _xml(twiml.say_and_hang_up(message, language=call.agent.language))
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
        return _put_through(request, call.transfer_to, credential, call)
    if call.end_reason not in FAILED_ENDINGS:
        return _xml(twiml.hang_up())
    if message := message_to_machine(call, plan_of(call)):
        return _xml(twiml.say_and_hang_up(message, language=call.agent.language))
    if call.agent.failure_number:
        return _put_through(request, call.agent.failure_number, credential, call)
    return _say("Sorry, something went wrong on our side. Please call again. Goodbye.")


@from_twilio
def twilio_dialled(request: HttpRequest, credential: Credential) -> HttpResponse:
    """Whom we had put the caller through to has hung up, or did not answer at all."""
    sid, status = request.POST.get("CallSid", ""), request.POST.get("DialCallStatus", "")
    lasted = request.POST.get("DialCallDuration", "0")
    seconds = int(lasted) if lasted.isdecimal() and len(lasted) <= LONGEST_SECONDS else None
    if seconds is not None:
        transfer_lasted(credential, of=sid, seconds=seconds)
    calls = Call.objects.filter(line="twilio", phone_number__credential=credential)
    call = calls.filter(provider_call_id=sid).first()
    if call and status in DIAL_STATUSES:
        actions.transfer_ended(call.pk, status=cast(TransferStatus, status), seconds=seconds or 0)
    if status in ("completed", "answered"):
        return _xml(twiml.hang_up())
    return _say("Sorry, nobody could be reached at the moment. Please call again later. Goodbye.")


@from_twilio
def twilio_recording(request: HttpRequest, credential: Credential) -> HttpResponse:
    """How a recording goes that Twilio makes of a call."""
    provider_id, status = request.POST.get("RecordingSid", ""), request.POST.get("RecordingStatus", "")
    if status not in RECORDING_STATES or not RECORDING_SID.fullmatch(provider_id):
        return HttpResponse("RecordingSid or RecordingStatus is none that Twilio documents.", status=400)
    ready = RECORDING_STATES[status]
    calls = Call.objects.filter(line="twilio", phone_number__credential=credential)
    if call := calls.filter(provider_call_id=request.POST.get("CallSid", "")).first():
        code = request.POST.get("ErrorCode", "")
        why_not = NO_RECORDING % {"code": code[:8] or "–"} if ready is False else ""
        recordings.is_told(call=call, provider_id=provider_id, ready=ready, why_not=why_not)
    return HttpResponse(status=204)


@from_twilio
def twilio_status(request: HttpRequest, credential: Credential) -> HttpResponse:
    """How the call goes, as Twilio sees it."""
    return _told(request, credential)


def _told(request: HttpRequest, credential: Credential) -> HttpResponse:
    try:
        actions.apply_provider_status(
            line="twilio",
            credential=credential,
            provider_call_id=request.POST.get("CallSid", ""),
            status=request.POST.get("CallStatus", ""),
            sequence=_sequence(request.POST.get("SequenceNumber", "")),
        )
    except ValueError:
        return HttpResponse("CallStatus or SequenceNumber is none that Twilio documents.", status=400)
    return HttpResponse(status=204)


def _sequence(text: str) -> int | None:
    """Raises ValueError for what is no number of a callback."""
    if not text:
        return None
    if not SEQUENCE.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _put_through(
    request: HttpRequest, number: str, credential: Credential, call: Call | None = None
) -> HttpResponse:
    """What holds for calls that we place holds for those that we pass on, whoever named the number. Two
    people speak as long as people may."""
    try:
        refuse_number(number, credential)
        if call:
            is_with_people(call.pk)
        sid, shown = request.POST["CallSid"], call.caller if call else request.POST.get("From", "")
        set_aside_transfer(credential, to=number, of=sid, shown=shown)
    except NotAllowed as error:
        logger.warning("A caller was not put through: %s", error)
        if call:
            actions.transfer_ended(call.pk, status="refused")
        return _say("Sorry, that number cannot be reached from here. Goodbye.")
    if call:
        limit_at_carrier(call, LONGEST_OF_PEOPLE)
    return _xml(twiml.dial(number, after_url=public_url(reverse("telephony:twilio_dialled"))))


def _say(text: str) -> HttpResponse:
    """In English, as agents speak; the provider's voice says it."""
    return _xml(twiml.say_and_hang_up(text, language="en-US"))


def _xml(document: str) -> HttpResponse:
    return HttpResponse(document, content_type="text/xml")
