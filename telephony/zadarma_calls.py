"""What Zadarma's notices and records do to our calls.

Notices come late, twice and out of order. The end of a call is told with all that its beginning was told
with, so that each of them alone makes or finds the call (`zadarma_matching`); and a state that is older than
the last changes nothing. Of a call whose sound is ours, by a SIP line, they tell the name alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from . import actions
from .lines.answering import answer_of, block_of, is_blocked
from .models import Call, Credential, PhoneNumber
from .names import name_of
from .providers.zadarma import answers, events
from .providers.zadarma.answers import Answer
from .recordings.actions import is_told
from .session.events import EndReason
from .zadarma_matching import (
    CALL_BACK_SECONDS,
    LINE,
    Inbound,
    Naming,
    NotBelieved,
    Outbound,
    as_e164,
    believed,
    call_backs,
    is_of_its_time,
    known,
    must_be_new,
    name_incoming,
    name_outgoing,
)

Status = Call.Status
# In place of the numbers that Zadarma does not give to its notices: which is newer.
RINGING, ANSWERED, ENDED = 1, 2, 3
BUSY = answers.redirect("blacklist")
RECORDING_SECONDS = 45.0  # after the end of a call its recording is there


def take_notice(credential: Credential, notice: events.Notice) -> Answer:
    """What is answered; only a call's start and a menu's end ask for anything. Raises NotBelieved."""
    match notice:
        case events.CallStarted() | events.MenuAnswered():
            return _route(credential, notice)
        case events.ExtensionRings():
            _inbound_call(credential, notice)
        case events.CallEnded():
            _end(_inbound_call(credential, notice), credential, notice)
        case events.OutgoingStarted():
            if call := _outbound_call(credential, notice):
                tell(call, credential, Status.RINGING, RINGING)
        case events.OutgoingEnded():
            _end(_outbound_call(credential, notice), credential, notice)
        case events.CallAnswered():
            _answered(credential, notice)
        case events.RecordingReady():
            if call := known(credential, notice.pbx_call_id):
                _have_fetched(call, notice.call_id)
    return answers.AS_SET_THERE


def _route(credential: Credential, notice: events.CallStarted | events.MenuAnswered) -> Answer:
    """To the extension at which we answer, and a blocked caller nowhere. Who is to be answered by a telephone
    or a sentence, or by an agent without an extension, goes as is set at Zadarma."""
    call = _inbound_call(credential, notice)
    if call is None:
        return BUSY if is_blocked(as_e164(notice.caller)) else _as_set_there(notice)
    if call.ended_at:
        return answers.hang_up()
    extension = call.phone_number.extension if call.phone_number else ""
    return answers.redirect(extension, return_seconds=0) if extension else _as_set_there(notice)


def _as_set_there(notice: events.CallStarted | events.MenuAnswered) -> Answer:
    """The telephones that ring there show who calls, where we know."""
    begins = isinstance(notice, events.CallStarted)
    name = name_of(as_e164(notice.caller)) if begins else ""
    return answers.name_caller(name) if name else answers.AS_SET_THERE


@transaction.atomic
def _inbound_call(credential: Credential, notice: Inbound) -> Call | None:
    """The call of a notice, made if nobody has told of it; None where no agent of ours is to answer."""
    caller, callee = as_e164(notice.caller), as_e164(notice.called)
    if call := known(credential, notice.pbx_call_id):
        return believed(call, caller, callee, notice.call_start)
    must_be_new(notice.pbx_call_id, caller, callee, notice.call_start)
    as_told = Naming(notice.pbx_call_id, notice.call_start)
    if call := name_incoming(credential, caller=caller, callee=callee, as_told=as_told):
        return call
    numbers = PhoneNumber.objects.filter(number=callee, credential=credential)
    number = numbers.select_related("agent", "after_agent").first()
    agent = None if block_of(caller) else answer_of(number).agent
    if number is None or agent is None:
        return None
    try:
        call = actions.answer_call(
            line=LINE,
            agent=agent,
            number=number,
            provider_call_id=notice.pbx_call_id,
            caller=caller,
            callee=callee,
        )
    except actions.WrongNumber:
        raise NotBelieved from None
    Call.objects.filter(pk=call.pk, provider_started="").update(provider_started=notice.call_start)
    return call


@transaction.atomic
def _outbound_call(credential: Credential, notice: Outbound) -> Call | None:
    """The call-back that we had asked for, or the call of a SIP line, that goes out now: Zadarma tells its id
    only here. Of call-backs the one that has waited longest; None for a call that is not ours."""
    callee = as_e164(notice.destination)
    if call := known(credential, notice.pbx_call_id):
        return believed(call, notice.extension, callee, notice.call_start)
    must_be_new(notice.pbx_call_id, notice.extension, callee, notice.call_start)
    since = timezone.now() - timedelta(seconds=CALL_BACK_SECONDS)
    for call in call_backs(credential, [notice.extension], [callee]).filter(created_at__gte=since):
        claimed = {"provider_call_id": notice.pbx_call_id, "provider_started": notice.call_start}
        if Call.objects.filter(pk=call.pk, provider_call_id="").update(**claimed):
            call.refresh_from_db()
            return call
    as_told = Naming(notice.pbx_call_id, notice.call_start)
    return name_outgoing(credential, extension=notice.extension, callee=callee, as_told=as_told)


def _answered(credential: Credential, notice: events.CallAnswered) -> None:
    call = known(credential, notice.pbx_call_id)
    if call is None:
        return
    if not is_of_its_time(call, notice.call_start):
        raise NotBelieved
    tell(call, credential, Status.IN_PROGRESS, ANSWERED)


@transaction.atomic
def _end(call: Call | None, credential: Credential, notice: events.CallEnded | events.OutgoingEnded) -> None:
    """Of a call whose sound went past us, Zadarma's duration is the only one there is."""
    if call is None:
        return
    if call.line != LINE:
        if notice.outcome == Status.COMPLETED:
            was_spoken_elsewhere(call, seconds=notice.duration_seconds, ended_at=timezone.now())
        return
    end_as_told(call, outcome=notice.outcome, seconds=notice.duration_seconds, ended_at=timezone.now())
    tell(call, credential, Status(notice.outcome), ENDED)
    if notice.recording:
        _have_fetched(call, notice.recording)


def _have_fetched(call: Call, recording: str) -> None:
    """A recording that Zadarma made of a call whose sound went past us; of others we have our own."""
    call.refresh_from_db()
    if call.end_reason == "spoken_elsewhere":
        soon = timezone.now() + timedelta(seconds=RECORDING_SECONDS)
        is_told(call=call, provider_id=recording, ready=True, due_at=soon)


def end_as_told(call: Call, *, outcome: str, seconds: int, ended_at: datetime) -> bool:
    """End the call as Zadarma saw it end; False where it was over already."""
    reason: EndReason = "never_connected"
    if outcome == Status.COMPLETED:
        unheard = Call.objects.filter(pk=call.pk, answered_at=None, ended_at=None)
        elsewhere = unheard.update(answered_at=ended_at - timedelta(seconds=seconds))
        reason = "spoken_elsewhere" if elsewhere else "caller_hung_up"
    ended = actions.end_call(call.pk, reason=reason, ended_at=ended_at)
    if ended:
        transaction.on_commit(lambda: actions.tell_holder(call.pk, reason))
    return ended


def was_spoken_elsewhere(call: Call, *, seconds: int, ended_at: datetime) -> bool:
    """Put right a call that came in, which we have taken for unanswered; False where it was no such call."""
    unheard = Call.objects.filter(pk=call.pk, answered_at=None, ended_at__isnull=False)
    if call.line != LINE:
        unheard = unheard.filter(direction=Call.Direction.INBOUND)
    return bool(
        unheard.update(
            status=Status.COMPLETED,
            answered_at=ended_at - timedelta(seconds=seconds),
            ended_at=ended_at,
            duration_seconds=seconds,
            end_reason="spoken_elsewhere",
        )
    )


def tell(call: Call, credential: Credential, status: Status, sequence: int) -> None:
    """Of a SIP line's call the gateway knows better."""
    if call.line != LINE:
        return
    actions.apply_provider_status(
        line=LINE,
        credential=credential,
        provider_call_id=call.provider_call_id,
        status=status,
        sequence=sequence,
    )
