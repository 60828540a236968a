"""What the gateway reads of its lines and calls in the database, and writes there."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from agents.conversations import voice_of
from agents.models import Agent
from mlservices.offer import DEFAULT_VOICE
from mlservices.secret_box import UnreadableSecret

from .. import actions, prompts
from ..admission import issue_token
from ..eventlog import record_now
from ..last_words import last_words
from ..lines.answering import Answer, answer_of, is_blocked
from ..models import Call, PhoneNumber, SipLine
from ..outbound.guard import NotAllowed, check, refuse_on_line
from ..outbound.other_costs import set_aside_transfer, transfer_began, transfer_failed
from ..session.events import ProviderStatusReceived, TransferStarted, TransferStatus
from ..sip_lines import Network
from ..zadarma_matching import taken_by_line
from .numbers import on_line
from .playout import RATE

LONGEST_CALL_ID = 64  # characters of `Call.provider_call_id`
LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class LineFacts:
    """A line as the gateway is to carry it."""

    pk: int
    label: str
    host: str
    port: int
    transport: str
    user: str
    auth_user: str
    password: str = field(repr=False)
    domain: str
    registers: bool
    max_calls: int
    peers: tuple[Network, ...]
    takes_transfers: bool = False
    nat: str = ""
    stun_server: str = ""


@dataclass(frozen=True, slots=True)
class Announced:
    """A call that the web process may be asked to serve."""

    call_id: UUID
    token: str
    provider_call_id: str
    last_words: bytes  # s16le at RATE, for a caller whose web process is gone
    sorry: bytes  # likewise, for one who could not be put through
    failure_number: str  # where that caller is put through to, if anywhere


@dataclass(frozen=True, slots=True)
class Forward:
    """A call that is put through at once, as its number says for these hours."""

    of: str  # the call: what it may cost is kept by it
    number: str
    sorry: bytes  # for a caller who could not be put through


@dataclass(frozen=True, slots=True)
class Sentence:
    """All that a caller hears, as nobody answers at this hour."""

    text: str
    voice: str
    speed: float


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A call that somebody wants to be placed. `send_digits` are pressed once it is answered, and after
    `most_seconds` it is hung up, whatever else goes wrong."""

    call_id: UUID
    line_id: int
    number: str
    send_digits: str
    most_seconds: int | None


def warm_up() -> None:
    """What the first caller would wait more than a second for: the addresses of the site's pages, of which a
    call's card has one, and the sentences for a web process that is gone."""
    Call(pk=UUID(int=0)).get_absolute_url()
    for language in Agent.objects.values_list("language", flat=True).distinct():
        prompts.load(language, RATE)
    gc.freeze()  # looking through all of that for garbage would stop every call for a tenth of a second


def end_left_over() -> None:
    """A gateway that died has left calls that nobody answered."""
    left = Call.objects.filter(line="sip", ended_at=None, answered_at=None)
    for call_id in left.exclude(status=Call.Status.QUEUED).values_list("pk", flat=True):
        told(call_id, Call.Status.FAILED, "the gateway stopped")


def any_line() -> bool:
    """Whether there is anything for a gateway to do."""
    return SipLine.objects.filter(enabled=True).exists()


def lines() -> list[LineFacts]:
    """Those that are to be carried. One whose row cannot be read is marked as failed and left out."""
    facts = []
    for line in SipLine.objects.filter(enabled=True):
        try:
            password, peers = line.clear_password(), line.peers()
        except (UnreadableSecret, ValueError) as error:
            set_state(line.pk, SipLine.State.FAILED, str(error))
            continue
        facts.append(
            LineFacts(
                pk=line.pk,
                label=line.label,
                host=line.host,
                port=line.port,
                transport=line.transport,
                user=line.user,
                auth_user=line.auth_user,
                password=password,
                domain=line.address_domain,
                registers=line.registers,
                max_calls=line.max_calls,
                peers=tuple(peers),
                takes_transfers=line.takes_transfers,
                nat=line.nat,
                stun_server=line.stun_server,
            )
        )
    return facts


def set_state(line_id: int, state: str, reason: str = "") -> None:
    """Told the same again, nothing changes: `state_at` tells since when."""
    now, reason = timezone.now(), reason[:LONGEST_REASON]
    line = SipLine.objects.filter(pk=line_id)
    line.exclude(state=state, reason=reason).update(reason=reason, held_at=now)
    line.exclude(state=state).update(state=state, state_at=now)


def hold() -> None:
    """The gateway is alive."""
    SipLine.objects.filter(enabled=True).update(held_at=timezone.now())


def announce(
    line_id: int, *, sip_call_id: str, caller: str, callee: str
) -> Announced | Forward | Sentence | None:
    """A call that comes in by this line; None where nobody takes it.

    Where one of our numbers was called its opening hours hold, and its agent answers before the line's."""
    line = SipLine.objects.select_related("agent", "account").filter(pk=line_id, enabled=True).first()
    if line is None:
        return None
    number = PhoneNumber.objects.filter(number__in=on_line(callee, line)).first()
    called = number.number if number else e164(callee, line)
    caller = e164(caller, line, called=called)
    if is_blocked(caller):
        return None
    provider_call_id = short(sip_call_id)
    if call := taken_by_line(line, caller=caller, callee=called, provider_call_id=provider_call_id):
        return _announced(call)
    answer = answer_of(number) if number else Answer(agent=line.agent)
    if answer.forward:
        return Forward(
            provider_call_id, answer.forward, prompts.load(prompts.DEFAULT_LANGUAGE, RATE)["goodbye"]
        )
    agent = answer.agent
    if answer.words:
        return _sentence(answer.words, number.agent if number else None)
    if agent is None or agent.status != Agent.Status.ACTIVE:
        return None
    try:
        call = actions.answer_call(
            line="sip",
            agent=agent,
            sip_line=line,
            number=number,
            provider_call_id=provider_call_id,
            caller=caller,
            callee=called,
        )
    except actions.WrongNumber:
        return None
    return None if call.ended_at else _announced(call)


def _sentence(text: str, agent: Agent | None) -> Sentence:
    """In the voice of who answers at other hours."""
    if agent is None:
        return Sentence(text, DEFAULT_VOICE, 1.0)
    return Sentence(text, voice_of(agent), agent.speaking_rate)


def _announced(call: Call) -> Announced:
    return Announced(
        call_id=call.pk,
        token=issue_token(call),
        provider_call_id=call.provider_call_id,
        last_words=last_words(call.agent, RATE).pcm,
        sorry=prompts.load(call.agent.language, RATE)["goodbye"],
        failure_number=call.agent.failure_number,
    )


def given_up_by_caller(call_id: UUID) -> None:
    """Before anybody answered."""
    told(call_id, Call.Status.CANCELED)


def never_answered(call_id: UUID) -> None:
    """Nobody could take the call."""
    actions.end_call(call_id, reason="never_connected")


def web_is_gone(call_id: UUID, *, transfer_to: str) -> None:
    """The web process vanished in the middle of the call."""
    actions.end_call(call_id, reason="line_lost", transfer_to=transfer_to)


def claim(free: Mapping[int, int]) -> list[Outgoing]:
    """Calls that wait for a line, which are the gateway's from now on; `free` is how many each line takes."""
    claimed = []
    left = dict(free)
    waiting = Call.objects.filter(
        line="sip", status=Call.Status.QUEUED, ended_at=None, sip_line_id__in=free
    ).order_by("created_at")
    for call in waiting.select_related("agent", "sip_line", "planned"):
        if not _still_allowed(call):
            continue
        line_id = call.sip_line_id
        assert line_id is not None
        if left[line_id] <= 0 or not told(call.pk, Call.Status.INITIATED):
            continue
        left[line_id] -= 1
        keys = call.planned.send_digits if hasattr(call, "planned") else ""
        claimed.append(Outgoing(call.pk, line_id, call.callee, keys, call.most_seconds))
    return claimed


def _still_allowed(call: Call) -> bool:
    """What was allowed when it was asked for may not be now."""
    assert call.sip_line
    try:
        check(to=call.callee, agent=call.agent, carrier=call.sip_line)
    except NotAllowed as error:
        told(call.pk, Call.Status.FAILED, str(error))
        return False
    return True


@transaction.atomic
def told(call_id: UUID, status: Call.Status, detail: str = "") -> bool:
    """A state of a call on its way to the answer; a final one ends it. False if it is past that."""
    before = actions.may_follow(status, numbered=False)
    call = Call.objects.filter(pk=call_id, ended_at=None, status__in=before)
    if not call.update(status=status):
        return False
    record_now(call_id, ProviderStatusReceived(status=status, applied=True, detail=detail[:LONGEST_REASON]))
    if status in actions.FINAL:
        actions.end_call(call_id, reason="never_connected")
    return True


def picked_up(call_id: UUID, *, sip_call_id: str) -> Announced | None:
    """Who was called has answered; None if nobody wants the call any more."""
    call = Call.objects.select_related("agent").get(pk=call_id)
    if call.ended_at:
        return None
    call.provider_call_id = short(sip_call_id)
    call.save(update_fields=["provider_call_id"])
    return _announced(call)


def may_last(call_id: UUID) -> int | None:
    """Seconds after which it is hung up; None where it may last for ever."""
    return Call.objects.values_list("most_seconds", flat=True).get(pk=call_id)


def has_lasted(call_id: UUID) -> None:
    """As long as it may."""
    actions.end_call(call_id, reason="max_duration")


def why_not(line_id: int, call_id: UUID | str, *, transfer_to: str) -> str:
    """Why the other side of a call may not be put through to that number by this line; "" where it may, and
    what that may cost is set aside."""
    try:
        line = SipLine.objects.select_related("account").get(pk=line_id)
        numbers = on_line(transfer_to, line) or [transfer_to]
        for number in numbers:  # a peer that passes us on reads it as it likes
            refuse_on_line(number, line)
        set_aside_transfer(line, to=numbers[0], of=str(call_id))
    except NotAllowed as error:
        return str(error)
    except SipLine.DoesNotExist:
        return "the line is gone"
    return ""


def transfer_ended(call_id: UUID, status: TransferStatus) -> None:
    actions.transfer_ended(call_id, status=status)


def not_passed_on(line_id: int, call_id: UUID | str, *, transfer_to: str) -> None:
    """Who was allowed was not reached: what was set aside for it is free again."""
    if line := SipLine.objects.select_related("account").filter(pk=line_id).first():
        transfer_failed(line, of=str(call_id), to=_as_set_aside(transfer_to, line))


def _as_set_aside(number: str, line: SipLine) -> str:
    return (on_line(number, line) or [number])[0]


def passed_on(line_id: int, call_id: UUID, *, number: str) -> None:
    """The peer has had us go on with that number."""
    if line := SipLine.objects.select_related("account").filter(pk=line_id).first():
        transfer_began(of=str(call_id), to=_as_set_aside(number, line))
    answered_at = Call.objects.values_list("answered_at", flat=True).get(pk=call_id)
    seconds = (timezone.now() - answered_at).total_seconds() if answered_at else 0.0
    record_now(call_id, TransferStarted(number=number, reason="peer", at_seconds=seconds))


def given_up(call_ids: Collection[UUID]) -> list[UUID]:
    """Those of them that somebody has ended while they rang."""
    return list(Call.objects.filter(pk__in=call_ids, ended_at__isnull=False).values_list("pk", flat=True))


def e164(number: str, line: SipLine, *, called: str = "") -> str:
    """As we write it. What is no number stays as it is."""
    return next(iter(on_line(number, line, called)), number)


def short(sip_call_id: str) -> str:
    """A Call-ID as it is stored: itself, or where it is too long its sha256."""
    if len(sip_call_id) <= LONGEST_CALL_ID:
        return sip_call_id
    return hashlib.sha256(sip_call_id.encode()).hexdigest()
