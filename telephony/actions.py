"""What can be done to lines and calls, one verb a function, alike for page, webhook, task and command.

Changes of a call's state are conditional UPDATEs that look at the row count: webhooks come late, twice
and out of order, and several may see the end of one call.
"""

from __future__ import annotations

import itertools
import logging
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID, uuid4

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django_q.tasks import async_task

from agents.models import Agent, FlowVersion
from mlservices import audit

from . import outward, search, traffic
from .audited import call_named, record_of_call
from .cards import status_unanswered
from .credentials import save_credential
from .eventlog import record_now
from .forgetting import forget_words
from .models import Call, Credential, MediaToken, PhoneNumber, SipLine
from .recorder import is_being_written, salvage
from .recordings.own import tell_saved
from .session.events import (
    CallAnswered,
    CallEnded,
    CallRinging,
    EndReason,
    EngineFailed,
    ProviderStatusReceived,
    TransferEnded,
    TransferStatus,
)

logger = logging.getLogger(__name__)

Status = Call.Status
FINAL = (Status.COMPLETED, Status.FAILED, Status.BUSY, Status.NO_ANSWER, Status.CANCELED)
# A live state is only ever followed by one that stands to the right of it.
PROGRESS = (Status.QUEUED, Status.INITIATED, Status.RINGING, Status.IN_PROGRESS)

HOLD_SECONDS = 5.0  # how often a process says that it still holds its calls
ORPHANED_SECONDS = 20.0  # after so long without, nobody holds a call
NEVER_CONNECTED_SECONDS = 300.0  # a ringing call whose token has expired
# A call whose sound goes past us, which only its provider can end; after so long it has forgotten to.
LONGEST_UNHEARD_SECONDS = 4 * 3600.0

LONGEST_PARTY = 64  # characters of a caller or callee: a number, a SIP address, a user's name

STOP_RINGING = "telephony.lines.actions.stop_ringing"
SIMULATOR = "Simulator"
SIMULATOR_NUMBER = "+1500555{:04}"  # nobody has such a number


class WrongNumber(Exception):
    """A call is announced a second time, for another number."""


def control_group(call_id: UUID) -> str:
    """The channel layer's group that the process holding the call listens to."""
    return f"call.{call_id}"


@transaction.atomic
def answer_call(
    *,
    line: str,
    agent: Agent,
    provider_call_id: str,
    caller: str,
    callee: str,
    number: PhoneNumber | None = None,
    sip_line: SipLine | None = None,
) -> Call:
    """The call that a provider announces, pinned to its agent and number; told again, the same call.

    Raises WrongNumber where that call is another number's: ids are a provider's, not an account's.
    """
    call, created = Call.objects.get_or_create(
        line=line,
        provider_call_id=provider_call_id,
        defaults={
            **ringing(agent, line=line, direction=Call.Direction.INBOUND, caller=caller, callee=callee),
            "phone_number": number,
            "sip_line": sip_line,
        },
    )
    if created:
        record_now(call.pk, CallRinging())
    elif (call.phone_number, call.sip_line) != (number, sip_line):
        raise WrongNumber
    return call


@transaction.atomic
def start_browser_call(*, agent: Agent, caller: str, version: FlowVersion | None = None) -> Call:
    """`caller` is who sits before the browser; `version` is followed in place of the agent's own flow."""
    fields = ringing(agent, line="browser", direction=Call.Direction.WEB, caller=caller)
    if version:
        fields["flow_version"] = version
    call = Call.objects.create(line="browser", **fields)
    record_now(call.pk, CallRinging())
    audit.record("call.talked", call_named(call), by=caller, detail=agent.name)
    return call


def ringing(agent: Agent, *, line: str, direction: str, caller: str, callee: str = "") -> dict[str, object]:
    fields: dict[str, object] = {
        "id": uuid4(),
        "agent": agent,
        "flow_version": agent.flow.live if agent.flow else None,
        "direction": direction,
        "caller": caller[:LONGEST_PARTY],
        "callee": callee[:LONGEST_PARTY],
        "created_at": timezone.now(),
    }
    return {**fields, "card": Call(line=line, **fields).blank_card().as_json()}


@transaction.atomic
def connect_call(call_id: UUID, *, line: str) -> bool:
    """The media socket is open; False when the call has ended in the meantime."""
    now = timezone.now()
    connected = Call.objects.filter(pk=call_id, status__in=PROGRESS, answered_at=None).update(
        status=Status.IN_PROGRESS, answered_at=now, held_at=now
    )
    if connected:
        record_now(call_id, CallAnswered(line=line))
    return bool(connected)


@transaction.atomic
def end_call(
    call_id: UUID,
    *,
    reason: EndReason,
    transfer_to: str = "",
    at_seconds: float | None = None,
    ended_at: datetime | None = None,
    by: str = "",
) -> bool:
    """Whoever sees the end first ends the call; False for all others. Without the line's media clock
    (`at_seconds`) the wall clock must do; `ended_at` is for an end that is seen only later."""
    now = ended_at or timezone.now()
    call = Call.objects.filter(pk=call_id)
    if not call.filter(ended_at=None).update(ended_at=now, end_reason=reason, transfer_to=transfer_to):
        return False
    answered_at, direction = call.values_list("answered_at", "direction").get()
    # The provider's word on how the call went stands, if it has come before us.
    unanswered = status_unanswered(reason, is_outbound=direction == Call.Direction.OUTBOUND)
    call.filter(status__in=PROGRESS).update(status=Status.COMPLETED if answered_at else unanswered)
    duration = _duration(answered_at, now)
    call.update(duration_seconds=duration)
    ended = CallEnded(
        reason=reason,
        duration_seconds=duration,
        at_seconds=duration if at_seconds is None else at_seconds,
        by=by,
    )
    record_now(call_id, ended)
    if not call.filter(held_at__isnull=False).exists():  # else whoever holds it indexes it when all is told
        forget_words(call_id)
        search.index(call_id)
        traffic.count(call_id)
        outward.tell_transcript(call_id)
    return True


@transaction.atomic
def fail_call(call_id: UUID, *, error: str, transfer_to: str) -> bool:
    """The call cannot be served at all; `transfer_to` is where the caller is handed over, if anywhere."""
    record_now(call_id, EngineFailed(engine="conversation", error=error, remedy="gave_up"))
    return end_call(call_id, reason="engine_failure", transfer_to=transfer_to)


@transaction.atomic
def transfer_ended(call_id: UUID, *, status: TransferStatus, seconds: float = 0.0) -> bool:
    """False where it has been told before, as a webhook is whose answer got lost."""
    call = Call.objects.select_for_update().get(pk=call_id)
    if call.events.filter(kind="transfer_ended").exists():
        return False
    at_seconds = call.duration_seconds or 0.0
    record_now(call_id, TransferEnded(status=status, seconds=seconds, at_seconds=at_seconds))
    return True


def _duration(answered_at: datetime | None, ended_at: datetime) -> float:
    return round((ended_at - answered_at).total_seconds(), 3) if answered_at else 0.0


@transaction.atomic
def apply_provider_status(
    *, line: str, credential: Credential, provider_call_id: str, status: str, sequence: int | None = None
) -> Call | None:
    """What the provider says of a call of that account; None if it has no such call. Raises ValueError on a
    foreign status.

    `sequence` orders callbacks: one that is not newer than the last applied changes nothing. A final
    state also ends the call here, and the process that holds it is told.
    """
    told = Status(status)
    calls = Call.objects.filter(line=line, provider_call_id=provider_call_id)
    call = calls.filter(phone_number__credential=credential).first()
    if call is None:
        return None
    row = Call.objects.filter(pk=call.pk, status__in=may_follow(told, numbered=sequence is not None))
    if sequence is None:
        applied = row.update(status=told)
    else:
        applied = row.filter(provider_sequence__lt=sequence).update(status=told, provider_sequence=sequence)
    record_now(call.pk, ProviderStatusReceived(status=told, applied=bool(applied)))
    if applied and told in FINAL:
        reason: EndReason = "caller_hung_up" if call.answered_at else "never_connected"
        if end_call(call.pk, reason=reason):
            transaction.on_commit(lambda: tell_holder(call.pk, reason))
    return call


def may_follow(told: Status, *, numbered: bool) -> Sequence[Status]:
    """The states that `told` may replace. Our own end is a guess until the provider's numbered word."""
    if told in PROGRESS:
        return PROGRESS[: PROGRESS.index(told)]
    return (*PROGRESS, *FINAL) if numbered else PROGRESS


@transaction.atomic
def hang_up(call_id: UUID, *, by: str = "") -> bool:
    """An operator ends a call, wherever it is held; False when it was over already."""
    ended = end_call(call_id, reason="operator_hung_up", by=by)
    if ended:
        record_of_call("call.hung_up", call_id, by=by)
        transaction.on_commit(lambda: tell_holder(call_id, "operator_hung_up"))
        if Call.objects.filter(pk=call_id, direction=Call.Direction.OUTBOUND, answered_at=None).exists():
            stop_ringing(call_id)  # nobody holds it yet
    return ended


def stop_ringing(call_id: UUID) -> None:
    """Have the worker end it at its provider, which may not have taken it yet."""
    transaction.on_commit(lambda: async_task(STOP_RINGING, str(call_id)))


def tell_holder(call_id: UUID, reason: EndReason) -> None:
    """Ask the process that holds the call, which has been ended in the database, to end it too.

    Where this is lost on the way, the holder sees for itself within `HOLD_SECONDS`.
    """
    layer = get_channel_layer()
    try:
        async_to_sync(layer.group_send)(control_group(call_id), {"type": "end", "reason": reason})
    except Exception as error:  # each layer has its own kinds
        logger.error("The holder of call %s was not told to end it: %s", call_id, error)


def hold_calls(call_ids: Iterable[UUID]) -> dict[UUID, EndReason]:
    """This process is alive and these calls are its own. Answers which of them are ended, and why."""
    own = Call.objects.filter(pk__in=list(call_ids))
    own.filter(held_at__isnull=False).update(held_at=timezone.now())
    ended = own.filter(ended_at__isnull=False).values_list("pk", "end_reason")
    return {call_id: cast(EndReason, reason) for call_id, reason in ended}


def let_go(call_id: UUID) -> None:
    """The call has ended, its recording is kept: there is nothing left to do but to make it findable, and to
    count it once where it went."""
    with transaction.atomic():
        if Call.objects.filter(pk=call_id, held_at__isnull=False).update(held_at=None):
            traffic.count(call_id)
            outward.tell_transcript(call_id)
        forget_words(call_id)
    search.index(call_id)


def end_orphans() -> int:
    """End the calls that a process which died has left, keep what it recorded, and end the calls that
    never got a socket. A call may have been ended by others when its process died; its recording not.
    """
    now = timezone.now()
    waiting = Call.objects.filter(
        status__in=Call.LIVE, held_at=None, created_at__lt=now - timedelta(seconds=NEVER_CONNECTED_SECONDS)
    ).exclude(  # which the provider has yet to place, and tells of
        direction=Call.Direction.OUTBOUND,
        status__in=(Status.QUEUED, Status.INITIATED),
        provider_call_id__gt="",
    )
    unheard = Q(line="zadarma", status=Status.IN_PROGRESS)
    waiting = waiting.exclude(unheard, created_at__gt=now - timedelta(seconds=LONGEST_UNHEARD_SECONDS))
    ended = sum(end_call(call.pk, reason="never_connected") for call in waiting)
    silent_since = now - timedelta(seconds=ORPHANED_SECONDS)
    for call in Call.objects.filter(held_at__lt=silent_since).order_by("held_at"):
        if is_being_written(call):
            continue  # by a process that lives, though the database has not heard of it for long
        if not Call.objects.filter(pk=call.pk, held_at=call.held_at).update(held_at=now):
            continue  # another process was faster
        ended += end_call(call.pk, reason="server_restarted", ended_at=call.held_at)
        keep_recording(call)
        let_go(call.pk)
    return ended


def forget_old_tokens() -> None:
    """Tokens long past their time; until then a refusal can say what is wrong with one."""
    MediaToken.objects.filter(expires_at__lt=timezone.now() - timedelta(hours=1)).delete()


def keep_recording(call: Call) -> None:
    """What lies where the call's recording is kept, if it can be read, is the call's recording."""
    if recording := salvage(call):
        tell_saved(recording)


@transaction.atomic
def assign_number(*, number: PhoneNumber, agent: Agent) -> None:
    """From its next call on, the number is answered by this agent, whoever had it before."""
    before = audit.stored_fields(number, "agent")
    PhoneNumber.objects.filter(pk=number.pk).update(agent=agent)
    audit.record("number.assigned", number, before=before, after={"agent": str(agent)})


@transaction.atomic
def release_number(*, number: PhoneNumber, agent: Agent) -> bool:
    """Nobody answers the number any more; False if another agent has it by now."""
    released = PhoneNumber.objects.filter(pk=number.pk, agent=agent).update(agent=None)
    if released:
        audit.record("number.released", number, before={"agent": str(agent)})
    return bool(released)


@transaction.atomic
def ensure_simulator_line(agent: Agent) -> PhoneNumber:
    """A number of our own making, by which `simulate_call` rings this agent; its account is no carrier's."""
    Agent.objects.select_for_update().get(pk=agent.pk)  # several may ring at once, the first time too
    lines = PhoneNumber.objects.select_related("credential").filter(credential__is_simulated=True)
    if number := lines.filter(agent=agent).first():
        return number
    credential = Credential.objects.filter(is_simulated=True).first() or _simulated_account()
    taken = set(PhoneNumber.objects.values_list("number", flat=True))
    free = next(number for number in map(SIMULATOR_NUMBER.format, itertools.count(6)) if number not in taken)
    number = PhoneNumber.objects.create(number=free, label=SIMULATOR, credential=credential, agent=agent)
    audit.record("number.added", number, after={"agent": str(agent)})
    return number


def _simulated_account() -> Credential:
    credential = save_credential(
        provider=Credential.Provider.TWILIO,
        account="AC" + secrets.token_hex(16),
        secret=secrets.token_hex(16),
        label=SIMULATOR,
    )
    credential.is_simulated = True
    credential.save(update_fields=["is_simulated"])
    return credential
