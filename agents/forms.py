"""The form of an agent, with its facts as rows that can be added and removed."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mlservices import registry
from mlservices.offer import DEFAULT_VOICE, Offer
from mlservices.pages.languages import language_name
from mlservices.pages.limits import explain_limits

from .conversations import default_model_id
from .facts import (
    LONGEST_ANSWER,
    LONGEST_QUESTION,
    LONGEST_TOPIC,
    MOST_FACTS,
    MOST_QUESTIONS,
    read_facts,
    topic_key,
)
from .fields import ConstantsField, PhoneField, dress
from .hours_text import read_hours, write_hours
from .models import DEFAULT_MODEL, Agent, Flow
from .versions import VALUES
from .voices import VoiceGroup, called, chosen, grouped

LONGEST_HOURS = 5000  # characters; a year of closed days is 4,000


class AgentForm(forms.ModelForm):
    """`facts` are edited by `FactFormSet` beside this form."""

    class Meta:
        model = Agent
        fields = [name for name in VALUES if name != "facts"]
        widgets = {
            "greeting": forms.Textarea(attrs={"rows": 2}),
            "instructions": forms.Textarea(attrs={"rows": 10, "class": "vf-mono", "spellcheck": "true"}),
            "constants": forms.Textarea(
                attrs={
                    "rows": 2,
                    "class": "vf-mono vf-short",
                    "placeholder": "clinic = Harbour Street Clinic",
                }
            ),
            "recording_announcement": forms.Textarea(
                attrs={"rows": 2, "placeholder": _("This call is recorded.")}
            ),
            "on_failure": forms.RadioSelect,
            "failure_sentence": forms.Textarea(attrs={"rows": 2}),
            "eagerness": forms.NumberInput(attrs={"type": "range", "step": 0.05}),
            "speaking_rate": forms.NumberInput(attrs={"type": "range", "step": 0.05}),
            "temperature": forms.NumberInput(attrs={"step": 0.1}),
            "transfer_number": forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
            "fallback_number": forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
        }
        field_classes = {
            "transfer_number": PhoneField,
            "fallback_number": PhoneField,
            "constants": ConstantsField,
        }
        help_texts = {
            "description": _("For you and your colleagues. Callers never hear it."),
            "greeting": _("What the agent says when the call connects."),
            "instructions": _(
                "Who the agent is, what it may do and how it should sound. A language model follows them."
            ),
            "speaking_rate": _("1 is the pace of the voice itself."),
            "chat_model": _(
                "Without one the agent answers from its facts, takes messages and transfers calls."
            ),
            "flow": _(
                "Calls go through it step by step, in the version that is live as they begin. Without one "
                "the agent answers freely from what stands here."
            ),
            "temperature": _("How freely the model words its answers: 0 is the most predictable."),
            "eagerness": _("Left for callers who think or dictate, right for quick exchanges."),
            "constants": _("One a line, for what you say in several places."),
            "interruptible": _("The agent stops speaking when the caller starts."),
            "silence_seconds": _("After three such questions without a word the agent says goodbye."),
            "max_call_seconds": _("Then the agent says goodbye and ends the call."),
            "record": _("Keeps the sound of both sides."),
            "recording_announcement": _(
                "Said before the greeting of a recorded call; the caller cannot interrupt it. "
                "Many countries ask for it. Empty: nothing is said."
            ),
            "transfer_number": _("Where the agent hands over callers who ask for a person."),
            "on_failure": _("When hearing, speaking or answering fails twice in one call."),
            "failure_sentence": _("Recorded when you save, since no engine may work then."),
        }

    def __init__(self, *args: Any, voice: str = "", **kwargs: Any) -> None:
        """`voice` is one to begin with, in place of the agent's own."""
        super().__init__(*args, **kwargs)
        chat_model = _kept_choice(self, "chat_model", _chat_models())
        chat_model.help_text = f"{chat_model.help_text} {_where_models_are_set()}"
        self.fields["chat_model"] = chat_model
        live = Q(live__isnull=False) | Q(pk=self.instance.flow_id)
        self.fields["flow"] = forms.ModelChoiceField(
            Flow.objects.filter(live).defer("draft"),
            required=False,
            label=_("Flow"),
            empty_label=_("None"),
            help_text=self.Meta.help_texts["flow"],
        )
        offer = async_to_sync(registry.offer)()
        self.offer = offer
        self.speech_setting = registry.setting_of_speech()
        self.fields["voice"] = _kept_choice(self, "voice", _voices(offer), widget=forms.RadioSelect)
        if self.instance.status != Agent.Status.ARCHIVED:  # archiving has a button of its own
            in_use = [choice for choice in Agent.Status.choices if choice[0] != Agent.Status.ARCHIVED]
            self.fields["status"] = forms.ChoiceField(choices=in_use, label=_("Status"))
        self.fields["language"] = _kept_choice(self, "language", _languages(offer))
        self.chosen = chosen(voice, self.instance, offer)
        self.initial.update(self.chosen)
        self.fields["constants"].label = _("Your own variables")
        if self.instance.pk is None:
            self.fields["name"].widget.attrs["autofocus"] = True
        _dress(self)

    @property
    def voice_groups(self) -> list[VoiceGroup]:
        return grouped(self["voice"], self.offer)


def add_errors(form: AgentForm, error: ValidationError) -> None:
    """What was refused on saving: at its field, or above the form if the form has no such field."""
    for name, texts in error.update_error_dict({}).items():
        for text in ValidationError(texts).messages:
            shown = name in form.fields or name in (NON_FIELD_ERRORS, "facts")  # a fact's error names it
            form.add_error(name if name in form.fields else None, text if shown else f"{name}: {text}")


class FactForm(forms.Form):
    """One fact; `hours` is a text of `agents.hours_text`."""

    @property
    def called(self) -> str:
        """What an error that is told elsewhere calls this row."""
        number = int(str(self.prefix).rpartition("-")[2]) + 1
        return str(self["topic"].value() or _("Fact %(number)d") % {"number": number})

    topic = forms.CharField(
        label=_("Topic"),
        max_length=LONGEST_TOPIC,
        widget=forms.TextInput(attrs={"placeholder": _("Opening hours")}),
    )
    answer = forms.CharField(
        label=_("Answer, as it is spoken"),
        required=False,
        max_length=LONGEST_ANSWER,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    questions = forms.CharField(
        label=_("Example questions, one a line"),
        required=False,
        widget=forms.Textarea(
            attrs={"rows": 2, "placeholder": _("When are you open?\nAre you open on Saturday?")}
        ),
    )
    hours = forms.CharField(
        label=_("Opening hours, a line for each day or several"),
        required=False,
        max_length=LONGEST_HOURS,
        widget=forms.Textarea(
            attrs={"rows": 3, "placeholder": "Monday to Friday: 09:00-17:00\nclosed: 2026-12-25"}
        ),
        help_text=_(
            "The agent tells those of the day asked about, then the answer. No line: closed. "
            "22:00-02:00 ends on the next day."
        ),
    )
    timezone = forms.CharField(
        label=_("Time zone of these hours"),
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "Europe/London", "list": "timezones"}),
    )
    offers_message = forms.BooleanField(label=_("Then offer to take a message"), required=False)
    urgent = forms.BooleanField(label=_("An emergency: it goes before all other facts"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _dress(self)

    def clean_questions(self) -> list[str]:
        questions = [line.strip() for line in self.cleaned_data["questions"].splitlines() if line.strip()]
        if len(questions) > MOST_QUESTIONS:
            text = _("A fact takes at most %(most)d questions and has %(count)d: remove some.")
            raise ValidationError(text, params={"most": MOST_QUESTIONS, "count": len(questions)})
        if long := next((question for question in questions if len(question) > LONGEST_QUESTION), ""):
            text = _("“%(start)s…” takes at most %(most)d characters and has %(length)d: shorten it.")
            told = {"start": long[:30], "most": LONGEST_QUESTION, "length": len(long)}
            raise ValidationError(text, params=told)
        return questions

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("hours"):
            self._clean_hours(cleaned)
        elif not cleaned.get("answer") and not self.errors:
            self.add_error("answer", _("Write what the agent is to say."))
        return cleaned

    def _clean_hours(self, cleaned: dict[str, Any]) -> None:
        """The text becomes what is stored, or is refused with the line that is wrong."""
        if not cleaned.get("timezone"):
            self.add_error("timezone", _("Name the time zone of these hours, like Europe/London."))
            return
        try:
            hours = {**read_hours(cleaned["hours"]), "timezone": cleaned["timezone"]}
            read_facts([{"topic": "hours", "hours": hours}])
        except ValueError as error:
            text = _("“%(line)s” cannot be read. Write it like Monday to Friday: 09:00-17:00.")
            self.add_error("hours", text % {"line": error})
        except ValidationError as error:
            field, _colon, remedy = error.messages[0].removeprefix("facts[0].hours.").partition(": ")
            self.add_error("timezone" if field == "timezone" else "hours", f"{field}: {remedy}")
        else:
            cleaned["hours"] = hours


class BaseFactFormSet(forms.BaseFormSet):
    default_error_messages = forms.BaseFormSet.default_error_messages | {
        "too_many_forms": _("An agent takes at most %(num)d facts: remove some.")
    }

    def clean(self) -> None:
        seen: set[str] = set()
        for form in self.forms:
            topic = topic_key(form.cleaned_data.get("topic", "")) if hasattr(form, "cleaned_data") else ""
            if not topic or form.cleaned_data.get("DELETE"):
                continue
            if topic in seen:
                form.add_error("topic", _("Another fact has this topic; give each its own."))
            seen.add(topic)


_FormSet = forms.formset_factory(
    FactForm, formset=BaseFactFormSet, extra=0, can_delete=True, max_num=MOST_FACTS, validate_max=True
)


def fact_formset(agent: Agent, data: QueryDict | None = None) -> Any:
    """The facts of an agent as rows of a form; `data` is what was posted."""
    rows = [
        {
            "topic": fact["topic"],
            "answer": fact["answer"],
            "questions": "\n".join(fact["questions"]),
            "hours": write_hours(fact["hours"]) if "hours" in fact else "",
            "timezone": fact["hours"]["timezone"] if "hours" in fact else "",
            "offers_message": fact.get("follow_up") == "message",
            "urgent": fact.get("urgent", False),
        }
        for fact in agent.facts
    ]
    return _FormSet(data, prefix="facts", initial=rows)


def facts_of(formset: Any) -> list[dict[str, Any]]:
    """The rows of a valid formset as `save_agent` takes them; removed ones are gone."""
    return [
        {
            "topic": row["topic"],
            "answer": row["answer"],
            "questions": row["questions"],
            "hours": row["hours"] or None,
            "follow_up": "message" if row["offers_message"] else "none",
            "urgent": row["urgent"],
        }
        for row in formset.cleaned_data
        if row and not row.get("DELETE")
    ]


def _voices(offer: Offer) -> list[tuple[str, str]]:
    """The first takes whatever the speech engine's own voice is."""
    default = gettext("The speech engine's own, now %(name)s") % {"name": offer.engine}
    return [
        (DEFAULT_VOICE, default if offer.engine else gettext("The speech engine's own")),
        *((voice.id, voice.name) for voice in offer.voices),
    ]


def _languages(offer: Offer) -> list[tuple[str, str]]:
    return [(code, language_name(code)) for code in offer.languages]


def _chat_models() -> list[tuple[str, str]]:
    configured = registry.chat_models()
    default = dict(configured).get(default_model_id())
    whatever = (
        gettext("Whatever is configured (now %(name)s)") % {"name": default}
        if default
        else gettext("Whatever is configured (none yet: answers from facts and intents)")
    )
    none = gettext("None: answers from facts and intents")
    return [
        ("", none),
        (DEFAULT_MODEL, whatever),
        *((id, _with_licence(id, label)) for id, label in configured),
    ]


def _with_licence(model_id: str, label: str) -> str:
    """What the licence of our own model allows; what providers sell is between them and their customers."""
    licence = registry.licence_of_model(model_id)
    return f"{label} · {licence}" if licence else label


def _where_models_are_set() -> str:
    default = default_model_id()
    if not default:
        return gettext(
            "None is configured: AI_INTEGRATIONS_OPENAI_API_KEY or NVIDIA_API_KEY in the settings of the "
            "installation brings one."
        )
    text = gettext(
        "Whatever is configured is now %(name)s; %(setting)s in the settings of the installation says so."
    )
    told = {"setting": registry.setting_of_model(default), "name": dict(registry.chat_models())[default]}
    return text % told


def _dress(form: forms.BaseForm) -> None:
    """Widgets as everywhere, and errors that say how far a field goes."""
    explain_limits(form, usual=gettext("%(value)s suits most agents."))
    dress(form)


def _kept_choice(
    form: AgentForm,
    name: str,
    choices: list[tuple[str, str]],
    widget: type[forms.Select] | type[forms.RadioSelect] = forms.Select,
) -> forms.ChoiceField:
    """A choice that still offers what is stored when the service no longer does."""
    field = form.fields[name]
    stored = getattr(form.instance, name)
    if stored not in dict(choices):
        told = called(stored) if name == "voice" else stored
        choices = [*choices, (stored, gettext("%(name)s (not available now)") % {"name": told})]
    return forms.ChoiceField(
        choices=choices,
        required=name != "chat_model",
        label=field.label,
        help_text=field.help_text,
        widget=widget,
    )
