"""Rows about lines and calls. Every state change of a `Call` goes through `telephony.actions`."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Case, Q, Value, When
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .cards import Card
from .flow_traffic import FlowTraffic as FlowTraffic
from .lines.models import BlockedCaller as BlockedCaller
from .lines.models import Credential as Credential
from .lines.models import PhoneNumber as PhoneNumber
from .outbound.models import DoNotCall as DoNotCall
from .outbound.models import OtherCost as OtherCost
from .outbound.models import PlannedCall as PlannedCall
from .recordings.models import ProviderRecording as ProviderRecording
from .sip_lines import SipLine as SipLine


class Tag(models.Model):
    """A word that people put on calls. `colour` names a token of static/css/tokens.css, never a colour."""

    class Colour(models.TextChoices):
        GREY = "grey", _("Grey")
        BLUE = "blue", _("Blue")
        TEAL = "teal", _("Teal")
        AMBER = "amber", _("Amber")
        RED = "red", _("Red")

    name = models.CharField(max_length=40, unique=True)
    colour = models.CharField(max_length=8, choices=Colour, default=Colour.GREY)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def colour_of(cls, name: str) -> str:
        """The colour of a new tag: always the same for a name, whoever makes it."""
        return cls.Colour.values[sum(name.encode()) % len(cls.Colour.values)]


class Call(models.Model):
    class Direction(models.TextChoices):
        INBOUND = "inbound", _("Inbound")
        OUTBOUND = "outbound", _("Outbound")
        WEB = "web", _("Browser")

    class Status(models.TextChoices):
        QUEUED = "queued", _("Queued")
        INITIATED = "initiated", _("Initiated")
        RINGING = "ringing", _("Ringing")
        IN_PROGRESS = "in-progress", _("In progress")
        COMPLETED = "completed", _("Completed")
        FAILED = "failed", _("Failed")
        BUSY = "busy", _("Busy")
        NO_ANSWER = "no-answer", _("No answer")
        CANCELED = "canceled", _("Canceled")

    class Outcome(models.TextChoices):
        """How a call ended, in one word."""

        LIVE = "live", _("In progress")
        COMPLETED = "completed", _("Completed")
        CALLER_HUNG_UP = "caller_hung_up", _("Caller hung up")
        TRANSFERRED = "transferred", _("Transferred")
        ELSEWHERE = "elsewhere", _("Answered elsewhere")
        HELPED = "helped", _("Taken over by an operator")
        STOPPED = "stopped", _("Ended by an operator")
        SILENT = "silent", _("Caller said nothing")
        FELL_SILENT = "fell_silent", _("Caller fell silent")
        TOO_LONG = "too_long", _("Too long")
        CUT_OFF = "cut_off", _("Cut off")
        FAILED = "failed", _("Failed")
        NO_ANSWER = "no_answer", _("No answer")
        BUSY = "busy", _("Busy")
        CANCELED = "canceled", _("Canceled")

    LIVE = (Status.QUEUED, Status.INITIATED, Status.RINGING, Status.IN_PROGRESS)
    # What an agent did alone: the caller spoke, and one of the two took leave.
    HANDLED = (Outcome.COMPLETED, Outcome.CALLER_HUNG_UP)
    # By the reason first, which is ours, and then by the provider's word. A call without a word of its
    # caller is no agent's success, whoever ended it.
    _OUTCOMES = Case(
        When(status__in=LIVE, then=Value(Outcome.LIVE)),
        When(Q(end_reason="engine_failure") | Q(status=Status.FAILED), then=Value(Outcome.FAILED)),
        When(end_reason="transferred", then=Value(Outcome.TRANSFERRED)),
        When(end_reason="spoken_elsewhere", then=Value(Outcome.ELSEWHERE)),
        When(end_reason__in=["line_lost", "server_restarted"], then=Value(Outcome.CUT_OFF)),
        When(status=Status.BUSY, then=Value(Outcome.BUSY)),
        When(status=Status.CANCELED, then=Value(Outcome.CANCELED)),
        When(
            Q(status=Status.NO_ANSWER) | Q(end_reason__in=["never_connected", "machine"]),
            then=Value(Outcome.NO_ANSWER),
        ),
        When(end_reason="operator_hung_up", then=Value(Outcome.STOPPED)),
        When(taken_over=True, then=Value(Outcome.HELPED)),
        When(turns=0, then=Value(Outcome.SILENT)),
        When(end_reason="silence", then=Value(Outcome.FELL_SILENT)),
        When(end_reason="caller_hung_up", then=Value(Outcome.CALLER_HUNG_UP)),
        When(end_reason="max_duration", then=Value(Outcome.TOO_LONG)),
        default=Value(Outcome.COMPLETED),
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    agent = models.ForeignKey("agents.Agent", models.PROTECT, related_name="+")
    # What it follows from its first moment to its last, whatever is published meanwhile.
    flow_version = models.ForeignKey("agents.FlowVersion", models.PROTECT, null=True, related_name="+")
    phone_number = models.ForeignKey(PhoneNumber, models.SET_NULL, null=True, related_name="+")
    sip_line = models.ForeignKey(SipLine, models.SET_NULL, null=True, related_name="+")
    line = models.CharField(max_length=16)  # a key of telephony.wording.LINES
    direction = models.CharField(max_length=16, choices=Direction)
    status = models.CharField(max_length=16, choices=Status, default=Status.RINGING)
    caller = models.CharField(max_length=64, blank=True)
    callee = models.CharField(max_length=64, blank=True)
    provider_call_id = models.CharField(max_length=64, blank=True)
    # Highest SequenceNumber of a status callback applied so far; older ones change nothing.
    provider_sequence = models.IntegerField(default=-1)
    provider_started = models.CharField(max_length=19, blank=True)  # as it writes times; Zadarma signs it
    # By a SIP line of Zadarma's: what its notices call it. `provider_call_id` is then the SIP call's.
    pbx_call_id = models.CharField(max_length=64, blank=True)
    # Outbound: the account that pays, also when the number is gone, and after how long its line ends it.
    paid_by = models.ForeignKey(Credential, models.SET_NULL, null=True, related_name="+")
    most_seconds = models.PositiveIntegerField(null=True)
    price = models.DecimalField(max_digits=12, decimal_places=6, null=True)  # once its records have told
    price_currency = models.CharField(max_length=3, blank=True)

    created_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=32, blank=True)  # telephony.session.events.EndReason
    # Renewed by the process that holds the call until its recording is kept; long past: it died.
    held_at = models.DateTimeField(null=True)
    transfer_to = models.CharField(max_length=16, blank=True)

    # Figures of the call, for lists and sums: folded from the events so far like the card below.
    turns = models.PositiveIntegerField(default=0)  # of the caller
    slow_turns = models.PositiveIntegerField(default=0)  # answered after cards.SLOW_TURN_MS or more
    response_ms = models.PositiveIntegerField(null=True)  # median of its last turns, voice to voice
    taken_over = models.BooleanField(default=False)  # an operator has spoken in the agent's place
    duration_seconds = models.FloatField(null=True)  # from the answer to the end
    compared_at = models.DateTimeField(null=True)  # with the provider's records
    rate = models.DecimalField(max_digits=10, decimal_places=5, null=True)  # of a minute, told before
    answered_by = models.CharField(max_length=24, blank=True)  # outbound: "human", "machine_...", "unknown"
    # The database's own work, so that no update of status or reason can forget it.
    outcome = models.GeneratedField(
        expression=_OUTCOMES, output_field=models.CharField(max_length=16, choices=Outcome), db_persist=True
    )
    tags = models.ManyToManyField(Tag, related_name="calls", blank=True)

    # Number of the newest CallEvent; raised only by telephony.eventlog, which hands the numbers out.
    last_seq = models.PositiveIntegerField(default=0)
    # The call as a card of the live board, folded from the events so far; telephony.cards is the typed door.
    card = models.JSONField(default=dict)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["line", "provider_call_id"],
                condition=~Q(provider_call_id=""),
                name="call_once_per_provider_id",
            ),
            models.UniqueConstraint(
                fields=["pbx_call_id"], condition=~Q(pbx_call_id=""), name="call_once_per_pbx_id"
            ),
        ]
        indexes = [
            models.Index(fields=["status", "-created_at"], name="call_live"),  # the live board
            models.Index(fields=["-created_at", "outcome"], name="call_newest"),  # home, history
            # an agent's usage, and its calls in the history
            models.Index(fields=["agent", "-created_at", "response_ms"], name="call_by_agent"),
            models.Index(fields=["outcome", "-created_at"], name="call_by_outcome"),  # history?outcome=
            # the few calls that are not over, which watchers of the board ask for every few seconds
            models.Index(fields=["status"], condition=Q(ended_at__isnull=True), name="call_going_on"),
            models.Index(fields=["direction", "-created_at"], name="call_by_direction"),  # history?direction=
            # history?sort=duration and ?longer=, ?shorter=
            models.Index(
                fields=["-duration_seconds", "-created_at"],
                condition=Q(duration_seconds__isnull=False),
                name="call_by_duration",
            ),
            # history?sort=response
            models.Index(
                fields=["-response_ms", "-created_at"],
                condition=Q(response_ms__isnull=False),
                name="call_by_response",
            ),
            # history?slow=1
            models.Index(fields=["-created_at"], condition=Q(slow_turns__gt=0), name="call_with_slow_turns"),
            # the few calls that some process holds
            models.Index(fields=["held_at"], condition=Q(held_at__isnull=False), name="call_held"),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.caller or self.id}"

    def get_absolute_url(self) -> str:
        return reverse("telephony:call", args=[self.pk])

    def blank_card(self) -> Card:
        """Before its first event."""
        return Card(
            id=str(self.pk),
            url=self.get_absolute_url(),
            agent=self.agent.name,
            agent_slug=self.agent.slug,
            caller=self.other_party,
            direction=self.direction,
            line=self.line,
            status=self.status,
            started=self.created_at.timestamp(),
        )

    @property
    def is_live(self) -> bool:
        return self.status in self.LIVE

    @property
    def other_party(self) -> str:
        """Who speaks with the agent: who called, or was called."""
        return self.callee if self.direction == self.Direction.OUTBOUND else self.caller

    @property
    def outcome_label(self) -> str:
        return str(self.Outcome(self.outcome).label)


class CallEvent(models.Model):
    """One happening of a call, numbered from 1 without a gap. See telephony.session.events."""

    call = models.ForeignKey(Call, models.CASCADE, related_name="events")
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=32)
    at = models.DateTimeField()  # wall clock
    at_seconds = models.FloatField()  # media clock
    payload = models.JSONField(default=dict)

    class Meta:
        ordering = ["seq"]
        constraints = [models.UniqueConstraint(fields=["call", "seq"], name="event_numbered_once")]
        indexes = [
            # the few failures of engines, on the overview
            models.Index(fields=["-at"], condition=Q(kind="engine_failed"), name="event_engine_failed"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"


class CallMessage(models.Model):
    """What a caller wants to be passed on, and whether somebody has seen to it. `telephony.eventlog` copies
    it from the newest `message_taken` event with its ordinal."""

    call = models.ForeignKey(Call, models.CASCADE, related_name="messages")
    ordinal = models.PositiveIntegerField()  # of the call's messages
    at = models.DateTimeField()
    name = models.TextField(blank=True)
    number = models.TextField(blank=True)
    number_confirmed = models.BooleanField()
    words = models.TextField(blank=True)
    complete = models.BooleanField()
    confirmed = models.BooleanField()
    done_at = models.DateTimeField(null=True)
    done_by = models.CharField(max_length=150, blank=True)  # user name; accounts are an upper app's

    class Meta:
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["call", "ordinal"], name="message_once")]
        indexes = [
            models.Index(fields=["-at"], name="message_newest"),  # messages?state=all
            # messages, and what is to do on the overview
            models.Index(fields=["-at"], condition=Q(done_at__isnull=True), name="message_open"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.words[:40]}"


class MeasuredTurn(models.Model):
    """How long a caller waited for one answer: the `turn_measured` events in three columns.

    Percentiles of a month are read from its index alone; from the events they would cost the JSON of every
    twentieth of all rows. `telephony.eventlog` writes both in one transaction.
    """

    call = models.ForeignKey(Call, models.CASCADE, related_name="+")
    began = models.DateTimeField()  # the call: its turns are counted where it is
    milliseconds = models.PositiveIntegerField()  # voice to voice

    class Meta:
        indexes = [models.Index(fields=["began", "milliseconds"], name="turn_by_time")]  # the overview

    def __str__(self) -> str:
        return f"{self.milliseconds} ms"


class Recording(models.Model):
    """Stereo sound of a whole call, caller left, agent right, laid out on the media clock."""

    call = models.OneToOneField(Call, models.CASCADE, related_name="recording")
    file = models.FileField(upload_to="recordings/%Y/%m/")
    rate = models.PositiveIntegerField()
    duration_seconds = models.FloatField()
    bytes = models.PositiveBigIntegerField()
    # {"rate": peaks per second, "caller": [0..100, ...], "agent": [...]}, drawn before the sound loads
    peaks = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.file)


class MediaToken(models.Model):
    """Admits one media socket to one call, once, within five minutes. Only the hash is kept."""

    digest = models.CharField(max_length=64, primary_key=True)  # sha256 hex
    call = models.ForeignKey(Call, models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"token of {self.call_id}"


class CallText(models.Model):
    """What was said in a call that is over, one line a turn; `telephony.search` writes and reads it, and
    keeps the words to search by beside it (migration 0002)."""

    # When the call began, in microseconds since 1970: calls with a word come newest first by this key alone.
    id = models.BigIntegerField(primary_key=True)
    call = models.OneToOneField(Call, models.CASCADE, related_name="text")
    lines = models.TextField()  # "c 12.5 When are you open?": whose, seconds, words

    def __str__(self) -> str:
        return f"text of {self.call_id}"


class CallNote(models.Model):
    """What somebody wrote about a call."""

    call = models.ForeignKey(Call, models.CASCADE, related_name="notes")
    author = models.CharField(max_length=150)  # user name; accounts are an upper app's
    text = models.TextField(max_length=4000)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"{self.author}: {self.text[:40]}"


class CallExport(models.Model):
    """A list of calls as a CSV file, made by the worker. Its file goes when it expires."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Being written")
        DONE = "done", _("Ready")
        FAILED = "failed", _("Failed")
        CANCELED = "canceled", _("Canceled")

    UNDER_WAY = (State.WAITING, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.BigIntegerField()  # the user's id; accounts are an upper app's
    query = models.TextField(blank=True)  # the list's address after the question mark, as `history` reads it
    zone = models.CharField(max_length=64, default="UTC")  # in which its days and times are meant
    language = models.CharField(max_length=8, default="en")  # of its head and of what calls are called
    calls = models.JSONField(default=list)  # ids of chosen calls; empty: all that `query` finds
    columns = models.JSONField(default=list)
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    total = models.PositiveIntegerField(null=True)  # once they are counted
    written = models.PositiveIntegerField(default=0)
    file = models.FileField(upload_to="exports/", blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    beat_at = models.DateTimeField(null=True)  # the worker's last sign of life
    problem = models.TextField(blank=True)  # why it failed
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["owner", "-created_at"], name="export_own")]  # the list of one's own

    def __str__(self) -> str:
        return f"export {self.pk}, {self.state}"

    @property
    def is_under_way(self) -> bool:
        return self.state in self.UNDER_WAY
