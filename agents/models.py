"""What an administrator sets up: agents. Conversations are built of them in `conversations.py`."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mlservices import voices
from mlservices.pages.languages import language_name

from .constants import check_placeholders, validate_constants
from .facts import validate_facts
from .flow.graph import read
from .flow.program import Program
from .knowledge.models import KnowledgeBase, Passage, Source
from .tools.models import ToolServer

__all__ = ["KnowledgeBase", "Passage", "Source", "ToolServer"]  # of this app like those below

validate_e164 = RegexValidator(
    r"^\+[1-9]\d{6,14}\Z", _("Write the number with its country code, like +14155550100.")
)

validate_tool_name = RegexValidator(
    r"^[a-z][a-z0-9_]*\Z", _("Use small letters, digits and _, a letter first, like find_booking.")
)

LONGEST_ANNOUNCEMENT = 300  # characters; callers cannot interrupt it
LONGEST_SENTENCE = 300
SLOWEST, FASTEST = 0.5, 2.0  # speaking rate; 1 is the pace of the voice itself

# The language model of an agent that takes whatever is configured.
DEFAULT_MODEL = "default"


class Flow(models.Model):
    """What a call does step by step, drawn as a graph. The draft changes; what is published never does."""

    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(_("address"), max_length=120, unique=True)
    description = models.CharField(_("description"), max_length=300, blank=True)
    draft = models.JSONField(default=dict)  # the exchange format; agents.flow.graph.read is its typed door
    revision = models.PositiveIntegerField(default=1, editable=False)  # of the draft, one up by each change
    changed_by = models.CharField(max_length=150, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)
    live = models.ForeignKey(
        "FlowVersion", models.PROTECT, null=True, editable=False, related_name="+"
    )  # what new calls follow; null: never published
    tests_required = models.BooleanField(default=False)  # all of the draft's, before it is published

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("flows:edit", args=[self.slug])

    @property
    def versions(self) -> models.QuerySet[FlowVersion]:
        """Those that were published, the newest first."""
        return self.all_versions.filter(number__isnull=False)


class FlowVersion(models.Model):
    """A flow as calls follow it; never changed. `Flow.versions` are those that were published."""

    flow = models.ForeignKey(Flow, models.PROTECT, related_name="all_versions")
    number = models.PositiveIntegerField(null=True)  # null: a draft as it was tried by voice
    graph = models.JSONField()
    subflows = models.JSONField(default=dict)  # {slug: graph} of those that it enters, as they were then
    by = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField(default=timezone.now)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["flow", "number"], name="flow_version_numbered_once")]

    def __str__(self) -> str:
        return f"{self.flow_id} {self.number}"

    def get_absolute_url(self) -> str:
        """Of a draft that was tried, the flow."""
        if self.number is None:
            return self.flow.get_absolute_url()
        return reverse("flows:version", args=[self.flow.slug, self.number])

    @property
    def title(self) -> str:
        """Which it is, in words."""
        told = {"name": self.flow.name, "number": self.number}
        if self.number is None:
            return gettext("%(name)s, a draft") % told
        return gettext("%(name)s, version %(number)s") % told

    @cached_property
    def program(self) -> Program:
        """What calls run; read once for each row that was fetched."""
        graphs = {"": self.graph, **self.subflows}
        return Program({name: read(graph)[0] for name, graph in graphs.items()})


class FlowTestResult(models.Model):
    """What came of a draft's test when it was run the last time."""

    flow = models.ForeignKey(Flow, models.CASCADE, related_name="test_results")
    name = models.CharField(max_length=120, blank=True)
    revision = models.PositiveIntegerField()  # of the draft that it was run on
    # [{"code": str, "turn": int, "did": str, "values": {...}}, ...]; agents.flows.results is the typed door.
    failures = models.JSONField(default=list)
    seconds = models.FloatField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["flow", "name"], name="one_result_of_a_flow_test")]

    def __str__(self) -> str:
        return f"{self.flow_id} {self.name}"


class Agent(models.Model):
    """One voice on the telephone: what it knows, how it speaks, when it gives up."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")
        ARCHIVED = "archived", _("Archived")

    class OnFailure(models.TextChoices):
        TRANSFER = "transfer", _("Put the caller through to a person")
        GOODBYE = "goodbye", _("Say sorry and goodbye")
        SENTENCE = "sentence", _("Play a sentence of your own, then hang up")

    name = models.CharField(_("name"), max_length=80)
    slug = models.SlugField(_("address"), max_length=80, unique=True)
    description = models.CharField(_("description"), max_length=200, blank=True)
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.ACTIVE)

    language = models.CharField(_("language"), max_length=16, default="en")
    voice = models.CharField(_("voice"), max_length=80, default="default")
    speaking_rate = models.FloatField(
        _("speaking rate"),
        default=1.0,
        validators=[MinValueValidator(SLOWEST), MaxValueValidator(FASTEST)],
    )
    greeting = models.TextField(_("greeting"), max_length=600)
    instructions = models.TextField(_("instructions"), blank=True)
    # [{"topic": str, "answer": str, "questions": [str, ...], ...}, ...]; agents.facts is the typed door.
    facts = models.JSONField(_("facts"), default=list, blank=True, validators=[validate_facts])

    # What its calls follow, in the version that is live as they begin; null answers by facts and abilities.
    flow = models.ForeignKey(
        Flow, models.PROTECT, null=True, blank=True, related_name="agents", verbose_name=_("flow")
    )

    # {"clinic": "Harbour Street Clinic", ...}: what {{clinic}} stands for in greeting and instructions.
    constants = models.JSONField(
        _("own variables"), default=dict, blank=True, validators=[validate_constants]
    )

    # "" answers by intents and facts alone; else DEFAULT_MODEL or an id of registry.chat_models().
    chat_model = models.CharField(_("language model"), max_length=80, blank=True)
    temperature = models.FloatField(
        _("temperature"), default=0.7, validators=[MinValueValidator(0), MaxValueValidator(2)]
    )

    eagerness = models.FloatField(
        _("how soon the agent answers"),
        default=0.5,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
    )
    interruptible = models.BooleanField(_("caller may interrupt"), default=True)
    silence_seconds = models.PositiveSmallIntegerField(
        _("ask “are you still there?” after (seconds)"),
        default=8,
        validators=[MinValueValidator(3), MaxValueValidator(60)],
    )
    max_call_seconds = models.PositiveIntegerField(
        _("longest call (seconds)"),
        default=900,
        validators=[MinValueValidator(30), MaxValueValidator(7200)],
    )
    record = models.BooleanField(_("record calls"), default=True)
    # Said before the greeting of a call that is recorded, and heard out; "" says nothing.
    recording_announcement = models.CharField(_("announcement"), max_length=LONGEST_ANNOUNCEMENT, blank=True)
    transfer_number = models.CharField(
        _("transfer callers to"),
        max_length=16,
        blank=True,
        validators=[validate_e164],
    )
    on_failure = models.CharField(
        _("when engines fail"), max_length=16, choices=OnFailure, default=OnFailure.GOODBYE
    )
    fallback_number = models.CharField(
        _("fallback number"), max_length=16, blank=True, validators=[validate_e164]
    )
    failure_sentence = models.CharField(_("your sentence"), max_length=LONGEST_SENTENCE, blank=True)

    version = models.PositiveIntegerField(default=0, editable=False)  # number of its newest AgentVersion
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("agents:edit", args=[self.slug])

    def clean(self) -> None:
        errors = check_placeholders(
            {name: getattr(self, name) for name in ("greeting", "instructions", "recording_announcement")},
            self.constants,
        )
        if self.on_failure == self.OnFailure.TRANSFER and not self.fallback_number:
            errors["fallback_number"] = _("Give the number that callers are put through to.")
        if self.on_failure == self.OnFailure.SENTENCE and not self.failure_sentence.strip():
            errors["failure_sentence"] = _("Write the sentence that callers are to hear.")
        if "{{" in self.failure_sentence:
            errors["failure_sentence"] = _("It is recorded beforehand and cannot hold variables.")
        if refused := self._refuse_voice():
            errors["voice"] = refused
        if errors:
            raise ValidationError(errors)

    def _refuse_voice(self) -> str:
        """Why it cannot speak the agent's language, in words; "" if it can, or if nobody knows."""
        voice = voices.by_id(self.voice)
        if voice is None or voices.speaks(voices.languages_of(voice), self.language):
            return ""
        text = gettext(
            "%(voice)s speaks %(spoken)s, and this agent %(language)s: choose a voice that speaks "
            "%(language)s, or make %(spoken)s the language of the agent."
        )
        spoken, language = language_name(voices.base(voice.language)), language_name(self.language)
        return text % {"voice": voice.name, "spoken": spoken, "language": language}

    @property
    def failure_number(self) -> str:
        """Where callers go when an engine fails twice; "" for nowhere."""
        return self.fallback_number if self.on_failure == self.OnFailure.TRANSFER else ""


class AgentVersion(models.Model):
    """An agent as it was made by one change; never changed itself."""

    class Kind(models.TextChoices):
        FOUND = "found", _("As it was found")
        CREATED = "created", _("Created")
        SAVED = "saved", _("Changed")
        DUPLICATED = "duplicated", _("Made as a copy")
        ACTIVATED = "activated", _("Set active")
        PAUSED = "paused", _("Paused")
        ARCHIVED = "archived", _("Archived")
        RESTORED = "restored", _("An earlier version restored")

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=16, choices=Kind)
    by = models.CharField(max_length=150, blank=True)  # name of the user; "" for the installation itself
    at = models.DateTimeField(default=timezone.now)
    values = models.JSONField()  # agents.versions.VALUES of the agent
    # What it was made of: the number restored, or the name of the agent copied.
    source = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["agent", "number"], name="version_numbered_once")]

    def __str__(self) -> str:
        return f"{self.agent_id} {self.number}"


class Tool(models.Model):
    """Another system that flows may ask: an HTTP request whose {{placeholders}} are its arguments, or, with a
    `server`, one of the tools of an MCP server."""

    class Method(models.TextChoices):
        GET = "GET", "GET"
        POST = "POST", "POST"
        PUT = "PUT", "PUT"
        PATCH = "PATCH", "PATCH"
        DELETE = "DELETE", "DELETE"

    name = models.CharField(_("name"), max_length=64, unique=True, validators=[validate_tool_name])
    description = models.CharField(_("what it does"), max_length=1000, blank=True)
    server = models.ForeignKey(ToolServer, models.PROTECT, null=True, editable=False, related_name="tools")
    server_tool = models.CharField(max_length=128, blank=True, editable=False)  # what the server calls it
    gone = models.BooleanField(default=False, editable=False)  # the server offers it no longer
    method = models.CharField(_("method"), max_length=8, choices=Method, default=Method.GET)
    url = models.CharField(_("address"), max_length=2000, blank=True)  # "": that of its server
    parameters = models.JSONField(_("arguments"), default=dict, blank=True)  # a JSON schema of type "object"
    headers = models.JSONField(_("headers"), default=dict, blank=True)  # {name: value}
    secret_headers = models.TextField(blank=True, editable=False)  # the same as JSON, sealed
    body = models.TextField(_("body"), max_length=20_000, blank=True)  # JSON; "": the arguments
    results = models.JSONField(_("results"), default=dict, blank=True)  # {variable: place in the answer}
    seconds = models.FloatField(
        _("longest wait (seconds)"), default=8, validators=[MinValueValidator(0.5), MaxValueValidator(60)]
    )
    repeatable = models.BooleanField(_("asking twice does no harm"), default=False)
    filler = models.CharField(_("said meanwhile"), max_length=300, blank=True)
    changed_by = models.CharField(max_length=150, blank=True, editable=False)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["server", "server_tool"], name="tool_of_a_server_once")
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("tools:edit", args=[self.name])

    @property
    def may_be_repeated(self) -> bool:
        """Whether to ask once more where no answer came."""
        return self.repeatable or self.method in (self.Method.GET, self.Method.PUT, self.Method.DELETE)


class Recorded(models.Model):
    """A sentence spoken beforehand, for when no engine can; found by `agents.sentences.key_of`."""

    key = models.CharField(max_length=64, primary_key=True)
    text = models.CharField(max_length=LONGEST_SENTENCE)
    wav = models.BinaryField()  # 16 kHz mono

    def __str__(self) -> str:
        return self.text
