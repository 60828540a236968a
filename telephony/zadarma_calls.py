"""What Zadarma's notices and records do to our calls.

Notices come late, twice and out of order. The end of a call is told with all that its beginning was told
with, so that each of them alone makes or finds the call; and a state that is older than the last changes
nothing. Zadarma signs who calls whom and since when, and neither the call's id nor how it went: a notice
that names a call of other people or another time is not believed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import phonenumbers
from django.db import transaction
from django.utils import timezone

from agents.models import Agent

from . import actions
from .eventlog import record_now
from .lines.answering import answer_of, block_of, is_blocked
from .models import Call, Credential, PhoneNumber
from .providers.zadarma import answers, events
from .providers.zadarma.answers import Answer
from .recordings.actions import is_told
from .session.events import EndReason, ProviderStatusReceived

LINE = "zadarma"
TIME = "%Y-%m-%d %H:%M:%S"
Status = Call.Status
# In place of the numbers that Zadarma does not give to its notices: which is newer.
RINGING, ANSWERED, ENDED = 1, 2, 3
BUSY = answers.redirect("blacklist")
# Between asking for a call-back and its first notice; the call is over by then (NEVER_CONNECTED_SECONDS).
CALL_BACK_SECONDS = 300.0
# How far a call's beginning may be from now, in whatever zone; an older notice has been kept by somebody.
OLDEST = timedelta(days=2)
LONGEST_CALL = timedelta(seconds=actions.LONGEST_UNHEARD_SECONDS)
RECORDING_SECONDS = 45.0  # after the end of a call its recording is there

Inbound = events.CallStarted | events.ExtensionRings | events.MenuAnswered | events.CallEnded
Outbound = events.OutgoingStarted | events.OutgoingEnded


class NotBelieved(Exception):
    """The notice is signed, and its signature is another call's."""


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
            if call := _known(credential, notice.pbx_call_id):
                _have_fetched(call, notice.call_id)
    return answers.AS_SET_THERE


def _route(credential: Credential, notice: events.CallStarted | events.MenuAnswered) -> Answer:
    """To the extension at which we answer, and a blocked caller nowhere. Who is to be answered by a telephone
    or a sentence, or by an agent without an extension, goes as is set at Zadarma."""
    call = _inbound_call(credential, notice)
    if call is None:
        return BUSY if is_blocked(as_e164(notice.caller)) else answers.AS_SET_THERE
    if call.ended_at:
        return answers.hang_up()
    extension = call.phone_number.extension if call.phone_number else ""
    return answers.redirect(extension, return_seconds=0) if extension else answers.AS_SET_THERE


@transaction.atomic
def _inbound_call(credential: Credential, notice: Inbound) -> Call | None:
    """The call of a notice, made if it is the first; None where no agent of ours is to answer."""
    caller, callee = as_e164(notice.caller), as_e164(notice.called)
    if call := _known(credential, notice.pbx_call_id):
        return _believed(call, caller, callee, notice.call_start)
    numbers = PhoneNumber.objects.filter(number=callee, credential=credential)
    number = numbers.select_related("agent", "after_agent").first()
    agent = None if block_of(caller) else answer_of(number).agent
    if number is None or agent is None:
        return None
    _must_be_new(notice.pbx_call_id, caller, callee, notice.call_start)
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
    """The call-back that we had asked for and that goes out now: Zadarma tells its id only here. The one
    that has waited longest for this extension and this number; None for a call that is not ours."""
    callee = as_e164(notice.destination)
    if call := _known(credential, notice.pbx_call_id):
        return _believed(call, notice.extension, callee, notice.call_start)
    _must_be_new(notice.pbx_call_id, notice.extension, callee, notice.call_start)
    waiting = Call.objects.filter(
        line=LINE,
        direction=Call.Direction.OUTBOUND,
        provider_call_id="",
        phone_number__credential=credential,
        caller=notice.extension,
        callee=callee,
        created_at__gte=timezone.now() - timedelta(seconds=CALL_BACK_SECONDS),
    )
    for call in waiting.order_by("created_at"):
        claimed = {"provider_call_id": notice.pbx_call_id, "provider_started": notice.call_start}
        if Call.objects.filter(pk=call.pk, provider_call_id="").update(**claimed):
            call.refresh_from_db()
            return call
    return None


def _known(credential: Credential, pbx_call_id: str) -> Call | None:
    calls = Call.objects.select_related("phone_number")
    call = calls.filter(line=LINE, provider_call_id=pbx_call_id).first()
    if call and (call.phone_number is None or call.phone_number.credential_id != credential.pk):
        raise NotBelieved
    return call


def _believed(call: Call, caller: str, callee: str, started: str) -> Call:
    if (call.caller, call.callee) != (caller, callee) or not _is_of_its_time(call, started):
        raise NotBelieved
    return call


def _is_of_its_time(call: Call, started: str) -> bool:
    """Whether the beginning that a notice tells can be the call's. Zadarma does not say whether a leg of the
    call may have one of its own."""
    return abs(_time(started) - _time(call.provider_started)) < LONGEST_CALL


def _time(text: str) -> datetime:
    """In a zone of which Zadarma says nothing. Raises NotBelieved for a day that is none."""
    try:
        return datetime.strptime(text, TIME).replace(tzinfo=UTC)
    except ValueError:
        raise NotBelieved from None


def _must_be_new(pbx_call_id: str, caller: str, callee: str, started: str) -> None:
    """A signature that has made a call makes no second one, and an old one none at all."""
    alike = Call.objects.filter(line=LINE, caller=caller, callee=callee, provider_started=started)
    if abs(timezone.now() - _time(started)) > OLDEST or alike.exclude(provider_call_id=pbx_call_id).exists():
        raise NotBelieved


def _answered(credential: Credential, notice: events.CallAnswered) -> None:
    call = _known(credential, notice.pbx_call_id)
    if call is None:
        return
    if not _is_of_its_time(call, notice.call_start):
        raise NotBelieved
    tell(call, credential, Status.IN_PROGRESS, ANSWERED)


@transaction.atomic
def _end(call: Call | None, credential: Credential, notice: events.CallEnded | events.OutgoingEnded) -> None:
    """Of a call whose sound went past us, Zadarma's duration is the only one there is."""
    if call is None:
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


def tell(call: Call, credential: Credential, status: Status, sequence: int) -> None:
    actions.apply_provider_status(
        line=LINE,
        credential=credential,
        provider_call_id=call.provider_call_id,
        status=status,
        sequence=sequence,
    )


def as_e164(text: str) -> str:
    """A number as we keep it; what is none (an extension, "anonymous") stays as it is."""
    try:
        parsed = phonenumbers.parse("+" + text.lstrip("+"))
    except phonenumbers.NumberParseException:
        return text
    if not (text.lstrip("+").isdigit() and phonenumbers.is_possible_number(parsed)):
        return text
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


@transaction.atomic
def new_call_back(number: PhoneNumber, agent: Agent, *, extension: str, callee: str) -> Call:
    """The row of a call-back that is about to be asked for, so that its notices find it however early."""
    fields = actions.ringing(agent, line=LINE, direction=Call.Direction.OUTBOUND, caller=extension)
    call = Call.objects.create(line=LINE, phone_number=number, callee=callee, status=Status.QUEUED, **fields)
    record_now(call.pk, ProviderStatusReceived(status=Status.QUEUED, applied=True))
    return call


def call_back_was_taken(call: Call) -> None:
    """Zadarma has begun to ring; its notices may have told more already."""
    _advance(call, Status.INITIATED)


def call_back_failed(call: Call) -> None:
    """Zadarma rings nobody."""
    if _advance(call, Status.FAILED):
        actions.end_call(call.pk, reason="never_connected")
    call.refresh_from_db()


@transaction.atomic
def _advance(call: Call, status: Status) -> bool:
    queued = Call.objects.filter(pk=call.pk, status=Status.QUEUED)
    applied = bool(queued.update(status=status))
    if applied:
        record_now(call.pk, ProviderStatusReceived(status=status, applied=True))
    call.refresh_from_db()
    return applied
