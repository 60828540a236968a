"""What the editor offers by kind of step: its icon, and a form of the fields of `agents.flow.graph.nodes`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Choices = tuple[tuple[str, Promise], ...]


@dataclass(frozen=True, slots=True)
class Field:
    """`name` as in the exchange format; `input` is drawn by static/js/flow/fields.js; an `optional` one may
    be left out. `needs` names another field and its values with which this one matters."""

    name: str
    label: Promise
    input: str = "line"
    help: Promise | str = ""
    choices: Choices = ()
    limits: tuple[float, float, float] | None = None  # lowest, highest, step
    needs: tuple[str, tuple[str, ...]] | None = None
    optional: bool = False

    def told(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "label": str(self.label),
            "input": self.input,
            "help": str(self.help),
            "choices": [[value, str(label)] for value, label in self.choices],
            "limits": self.limits,
            "needs": self.needs,
            "optional": self.optional,
        }


@dataclass(frozen=True, slots=True)
class Kind:
    """`shows` are the fields of which a card tells the first that is filled; `tone` colours its icon."""

    type: str
    label: Promise
    does: Promise
    icon: str
    tone: str
    fields: tuple[Field, ...]
    shows: tuple[str, ...]

    def told(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "label": str(self.label),
            "does": str(self.does),
            "tone": self.tone,
            "fields": [field.told() for field in self.fields],
            "shows": self.shows,
        }


_YES_NO: Choices = (("true", pgettext_lazy("answer", "Yes")), ("false", pgettext_lazy("answer", "No")))
VARIABLE_KINDS: Choices = (
    ("text", _("Text")),
    ("number", _("Number")),
    ("yes_no", _("Yes or no")),
    ("date", _("Date")),
    ("time", _("Time")),
    ("datetime", _("Date and time")),
    ("phone", _("Telephone number")),
    ("email", _("E-mail address")),
)
SLOT_KINDS: Choices = (
    ("text", _("Any words")),
    ("choice", _("One of several")),
    ("yes_no", _("Yes or no")),
    ("number", _("Number")),
    ("digits", _("Digits")),
    ("name", _("Name")),
    ("phone", _("Telephone number")),
    ("email", _("E-mail address")),
    ("date", _("Date")),
    ("time", _("Time")),
    ("datetime", _("Date and time")),
)
OUTCOMES: dict[str, Choices] = {
    "gather": (("done", _("It was answered")), ("failed", _("It was not answered"))),
    "tool": (("success", _("It worked")), ("failure", _("It failed"))),
}
INTENT_ACTIONS: Choices = (
    ("go_to", _("Go to a step")),
    ("repeat", _("Say the last words again")),
    ("transfer", _("Hand over to a person")),
    ("end", _("End the call")),
)
# What led a call on, by agents.flow.deciding.By.
DECIDERS: dict[str, Promise] = {
    "keys": _("Keys"),
    "expression": _("An expression"),
    "examples": _("Examples"),
    "model": _("The language model"),
    "outcome": _("What came of the step"),
    "otherwise": _("“If nothing else holds”"),
    "next": _("Nothing: there was one way"),
}

# Of every step but notes, under "More"; empty leaves it to the agent.
MANNER = (
    Field("interruptible", _("The caller may interrupt"), "choice", choices=_YES_NO, optional=True),
    Field(
        "turnEagerness",
        _("How soon it answers"),
        "number",
        _("0 waits long after a pause, 1 answers at once."),
        limits=(0, 1, 0.05),
        optional=True,
    ),
    Field("timeout", _("Seconds of silence until it asks"), "number", limits=(1, 120, 1), optional=True),
    Field(
        "speed", _("Speed of the voice"), "number", _("1 is normal."), limits=(0.5, 2, 0.05), optional=True
    ),
)
LABEL = Field("label", _("Name of the step"), help=_("Shown here only; callers never hear it."))
_NUMERIC, _DIGITS = ("number",), ("digits",)
_MESSAGE = Field("message", _("What it says before"), "text", optional=True)

KINDS = (
    Kind(
        "say",
        _("Say"),
        _("Says fixed words, and listens if a connection asks for it"),
        "message-circle-more",
        "talk",
        (Field("text", _("Words"), "text", _("{{name}} puts a variable in.")),),
        ("text",),
    ),
    Kind(
        "gather",
        _("Ask"),
        _("Asks for one value and keeps it"),
        "clipboard-pen",
        "ask",
        (
            Field("prompt", _("Question"), "text"),
            Field("variable", _("Keep the answer as"), "variable", _("A name of letters, digits and _.")),
            Field("kind", _("What is asked for"), "choice", choices=SLOT_KINDS),
            Field("options", _("Choices"), "options", needs=("kind", ("choice",))),
            Field("minDigits", _("Fewest digits"), "number", limits=(1, 40, 1), needs=("kind", _DIGITS)),
            Field("maxDigits", _("Most digits"), "number", limits=(1, 40, 1), needs=("kind", _DIGITS)),
            Field("minimum", _("Lowest number"), "number", needs=("kind", _NUMERIC), optional=True),
            Field("maximum", _("Highest number"), "number", needs=("kind", _NUMERIC), optional=True),
            Field(
                "mustBeFuture",
                _("It has to be in the future"),
                "switch",
                needs=("kind", ("date", "datetime")),
            ),
            Field("retryPrompt", _("Question when it was not understood"), "text", optional=True),
            Field(
                "confirm",
                _("Read the answer back"),
                "choice",
                choices=(
                    ("unsure", _("When it is not sure")),
                    ("always", _("Always")),
                    ("never", _("Never")),
                ),
            ),
            Field("attempts", _("How often it asks"), "number", limits=(1, 10, 1)),
        ),
        ("prompt", "variable"),
    ),
    Kind(
        "branch",
        _("Decide"),
        _("Goes on by what is known: each connection has a condition"),
        "git-branch",
        "decide",
        (),
        (),
    ),
    Kind(
        "set",
        _("Set"),
        _("Gives variables a value"),
        "variable",
        "decide",
        (Field("values", _("Values"), "values", _("A text, or = and an expression.")),),
        ("values",),
    ),
    Kind(
        "subagent",
        _("Talk"),
        _("A language model talks freely until a connection is wanted"),
        "bot",
        "talk",
        (
            Field("opening", _("First words"), "text", _("Empty: it listens at once."), optional=True),
            Field(
                "systemPrompt",
                _("Instructions"),
                "prompt",
                _("Never read out to callers. Put words to be said exactly in quotation marks."),
            ),
            Field("tools", _("Tools that it may use"), "tools"),
            Field("knowledgeBase", _("Knowledge base"), "knowledge", optional=True),
        ),
        ("opening", "systemPrompt"),
    ),
    Kind(
        "tool",
        _("Tool"),
        _("Asks another system, and goes on by what came of it"),
        "wrench",
        "act",
        (
            Field("toolName", _("Tool"), "tool"),
            Field("parameters", _("What it is given"), "values", _("A text may hold {{variables}}.")),
            Field("filler", _("What it says meanwhile"), "text", optional=True),
        ),
        ("toolName",),
    ),
    Kind(
        "phone_transfer",
        _("Put through"),
        _("Puts the caller through to a telephone"),
        "phone-forwarded",
        "leave",
        (
            Field("phoneNumber", _("Telephone number"), help=_("With its country code: +14155550100.")),
            _MESSAGE,
        ),
        ("phoneNumber", "message"),
    ),
    Kind(
        "agent_transfer",
        _("Other agent"),
        _("Hands the caller over to another agent"),
        "arrow-left-right",
        "leave",
        (
            Field("targetAgentId", _("Agent"), "agent"),
            Field("context", _("What the other is told"), "text", optional=True),
        ),
        ("targetAgentId", "context"),
    ),
    Kind(
        "end_call",
        _("Hang up"),
        _("Says goodbye and ends the call"),
        "phone-off",
        "leave",
        (
            Field("message", _("Last words"), "text", optional=True),
            Field(
                "saveTranscript",
                _("Keep the transcript"),
                "switch",
                _(
                    "Otherwise no word of the whole call is kept once it is over; variables, messages and "
                    "the recording are."
                ),
            ),
        ),
        ("message",),
    ),
    Kind(
        "subflow",
        _("Other flow"),
        _("Goes through another flow and comes back"),
        "workflow",
        "decide",
        (Field("flowId", _("Flow"), "flow"),),
        ("flowId",),
    ),
    Kind(
        "send_digits",
        _("Dial digits"),
        _("Sends tones of the keypad"),
        "hash",
        "act",
        (Field("digits", _("Digits"), help=_("0-9, *, #, and a comma for half a second.")),),
        ("digits",),
    ),
    Kind(
        "message",
        _("Message"),
        _("Keeps a message for the team, to be read under Messages"),
        "mail",
        "act",
        (
            Field("text", pgettext_lazy("of a call", "Message"), "text", _("{{name}} puts a variable in.")),
            Field("name", _("Of whom"), help=_("As {{name}}."), optional=True),
            Field(
                "phone",
                _("Number to call back"),
                help=_("As {{phone}}, or {{caller_number}}."),
                optional=True,
            ),
        ),
        ("text",),
    ),
    Kind(
        "wait",
        _("Wait"),
        _("Is silent for a while"),
        "hourglass",
        "act",
        (Field("seconds", _("Seconds"), "number", limits=(0.1, 60, 0.1)),),
        ("seconds",),
    ),
    Kind(
        "note",
        _("Note"),
        _("Words for whoever reads the flow"),
        "sticky-note",
        "note",
        (Field("text", _("Words"), "text"),),
        ("text",),
    ),
)
BY_TYPE = {kind.type: kind for kind in KINDS}


def field_labels(type: str) -> dict[str, str]:
    """Of the fields of a step of this type, by their names."""
    kind = BY_TYPE.get(type)
    return {field.name: str(field.label) for field in (LABEL, *(kind.fields if kind else ()), *MANNER)}
