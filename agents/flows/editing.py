"""What the page of the editor is given beside the draft: kinds of step, what there is to choose, words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from mlservices import registry

from ..flow.graph import nodes
from ..flow.variables import BUILT_IN
from ..models import Agent, Flow, KnowledgeBase, Tool
from . import kinds
from .generation.schema import SCHEMA

WORDS: Mapping[str, object] = {
    # State of the draft
    "saved": _("Saved"),
    "changed": _("Not saved yet"),
    "saving": _("Saving…"),
    "offline": _("The server does not answer; trying again. Your changes are kept in this browser."),
    "offline_short": _("Not saved: no connection"),
    "refused": _("Not saved"),
    "conflict": _("Not saved: changed elsewhere"),
    "read_only": _("You can look at this flow; your role does not let you change it."),
    "never_changes": _("To look at: a version never changes."),
    "restored": _("What you had not saved the last time is here again."),
    "conflict_title": _("Changed elsewhere by {who}"),
    "conflict_somebody": _("somebody else"),
    # Bars
    "undo": _("Undo"),
    "redo": _("Redo"),
    "tidy": _("Tidy up"),
    "find": _("Find a step"),
    "find_none": _("No step holds these words."),
    "settings": _("Flow settings"),
    "problems": _("Problems"),
    "problems_one": _("{count} problem"),
    "problems_other": _("{count} problems"),
    "no_problems": _("No problems"),
    "no_problems_text": _("The flow can be published."),
    "add": _("Add a step"),
    "canvas": _("Steps and connections of the flow"),
    "close": _("Close"),
    "delete": _("Delete"),
    "duplicate": _("Duplicate"),
    "remove": _("Remove"),
    "add_row": _("Add"),
    "up": _("Move up"),
    "start": _("Start"),
    "start_here": _("Calls begin here"),
    "copied_one": _("{count} step copied"),
    "copied_other": _("{count} steps copied"),
    "error": _("Error"),
    "warning": _("Warning"),
    "untitled": _("Unnamed"),
    "empty_step": _("Nothing in it yet"),
    "unknown_kind": _("Unknown step"),
    "unknown_kind_text": _("This version of VoiceForge does not know this kind. It is kept as it is."),
    # Light on the canvas
    "lit_walked": _("Walked"),
    "lit_now": _("Now"),
    "lit_added": _("New"),
    "lit_removed": _("Removed"),
    "lit_changed": _("Changed"),
    "go_to_step": _("Press Enter to go to this step in the list of what happened."),
    # Inspector
    "step": _("Step settings"),
    "connection": _("Connection"),
    "more": _("More: how it speaks and listens"),
    "leads_to": _("Leads to"),
    "leads_nowhere": _("Nothing follows yet. Drag from the dot at its right side, or choose a step."),
    "connect_to": _("Connect to…"),
    "from": _("From"),
    "to": _("To"),
    "taken_when": _("It is taken when one of these holds."),
    "label": _("Description"),
    "label_help": _("In words, for readers, and for the language model where nothing else is asked for."),
    "keys": _("Keys of the telephone"),
    "when": _("Expression"),
    "when_help": _("Over the variables, as age >= 18."),
    "examples": _("What callers say who mean it"),
    "examples_help": _("One a line."),
    "outcome": _("What came of the step"),
    "otherwise": _("If nothing else holds"),
    "always": _("Always"),
    "else": _("Else"),
    "key": _("Key {keys}"),
    "as_agent": _("As the agent does"),
    "choose": _("Choose…"),
    "none": _("None"),
    "none_there": _("There are none yet."),
    "not_there": _("{name} (not there)"),
    "name": _("Name"),
    "value": _("Value"),
    "description": _("Description"),
    "begin": _("Calls begin at"),
    "begin_auto": _("The step that nothing leads to"),
    "variables": _("Variables"),
    "variables_help": _(
        "Values that the flow knows. Questions add theirs by themselves. One that is filled in passing is "
        "kept wherever the caller says it, as its description tells it from others."
    ),
    "kind": _("Kind"),
    "initial": _("At the beginning"),
    "filled_in_passing": _("Filled in passing"),
    "intents": _("What callers can say anywhere"),
    "action": _("Then"),
    "target": _("Step"),
    "option_value": _("Value"),
    "option_label": _("Said as"),
    "option_phrases": _("What callers say, commas between"),
    "option_key": _("Key"),
    "several": _("{count} steps selected"),
    "several_help": _("Drag them together, Ctrl C copies, Delete removes."),
    "moved": _("Moved to {x}, {y}"),
    # Having it written
    "write": _("Change by words"),
    "write_does": _("Say what is to be different. You see it before anything is changed."),
    "write_what": _("What is to be different"),
    "write_go": _("Write it"),
    "write_stop": _("Stop"),
    "write_asking": _("The model writes: {characters} characters, {seconds} s"),
    "write_longer": _(
        "It was cut off, and is written again with more room: {characters} characters, {seconds} s"
    ),
    "write_checking": _("Checked…"),
    "write_mending": _("Mended, {attempt} of 2: {characters} characters, {seconds} s"),
    "write_done": _("Written in {seconds} s with {tokens} tokens"),
    "write_stopped": _("Stopped. Nothing was changed."),
    "write_broken": _("The connection broke off. What you wrote is kept; try again."),
    "write_same": _("Nothing would differ."),
    "write_changes": _("What would differ"),
    "write_accept": _("Change it so"),
    "write_discard": _("Leave it"),
    "write_problems_one": _("{count} problem, which you can mend in the editor"),
    "write_problems_other": _("{count} problems, which you can mend in the editor"),
    # Trying it out
    "try": _("Try it"),
    "try_does": _("A conversation with the draft as it stands. Nothing of it is kept."),
    "try_agent": _("As the agent"),
    "try_understood": _("Understood"),
    "try_no_agent": _("None: the flow alone"),
    "try_tools": _("Ask tools in earnest"),
    "try_words": _("What the caller says"),
    "try_send": _("Say"),
    "try_keypad": _("Keypad"),
    "try_silent": _("Says nothing"),
    "try_restart": _("Start again"),
    "try_voice": _("Try by voice"),
    "try_voice_help": _("To try it by voice, choose the agent who speaks."),
    "try_keep": _("Keep as a test"),
    "try_kept": _("Kept as a test of the flow"),
    "try_edit": _("Change what was said here"),
    "try_remove": _("Leave this out"),
    "try_replay": _("Play from here"),
    "try_waiting": _("The agent answers…"),
    "try_slow": _("The agent takes its time…"),
    "try_cancel": _("Stop waiting"),
    "try_show": _("Show it"),
    "try_failed": _("The server could not play this. Try again; the log says why."),
    "try_offline": _("The server does not answer. What you wrote is kept; send it again."),
    "try_ended": _("The agent has hung up."),
    "try_transferred": _("The call would be put through to {number}."),
    "try_old": _("The flow has changed since."),
    "try_again": _("Play it again"),
    "try_tool": _("Tool {name}"),
    "try_source": _("Looked up: {name}"),
    "try_tool_done": _("answered"),
    "try_tool_failed": _("failed"),
    "try_ahead": _("ahead by {margin}"),
    "try_new": _("new"),
}

# What React Flow says to screen readers.
ARIA: Mapping[str, object] = {
    "node.a11yDescription.default": _("Press Enter to open the step, Delete to remove it."),
    "node.a11yDescription.keyboardDisabled": _(
        "Press Enter to open the step, the arrow keys to move it, Delete to remove it."
    ),
    "edge.a11yDescription.default": _("Press Enter to open the connection, Delete to remove it."),
    "controls.ariaLabel": _("Zoom"),
    "controls.zoomIn.ariaLabel": _("Closer"),
    "controls.zoomOut.ariaLabel": _("Farther"),
    "controls.fitView.ariaLabel": _("Show all of it"),
    "minimap.ariaLabel": _("Map of the flow"),
    "handle.ariaLabel": _("Connects steps"),
}


def page_data() -> dict[str, Any]:
    """As JSON in the page; agents and flows as [address, name]."""
    agents = Agent.objects.exclude(status=Agent.Status.ARCHIVED).order_by("name")
    flows = Flow.objects.exclude(live=None).order_by("name")
    return {
        "kinds": [kind.told() for kind in kinds.KINDS],
        "label": kinds.LABEL.told(),
        "manner": [field.told() for field in kinds.MANNER],
        "outcomes": {type: _told(choices) for type, choices in kinds.OUTCOMES.items()},
        "variableKinds": _told(kinds.VARIABLE_KINDS),
        "intentActions": _told(kinds.INTENT_ACTIONS),
        "ends": [name for name, kind in nodes.TYPES.items() if issubclass(kind, nodes.ENDS)],
        "defaults": {name: _defaults(kind) for name, kind in nodes.TYPES.items()},
        "agents": list(agents.values_list("slug", "name")),
        "flows": list(flows.values_list("slug", "name")),
        "tools": [(name, name) for name in Tool.objects.values_list("name", flat=True)],
        "knowledge": list(KnowledgeBase.objects.values_list("slug", "name")),
        "builtIn": BUILT_IN,
        "mayWrite": registry.writer(SCHEMA) is not None,
        "deciders": {by: str(label) for by, label in kinds.DECIDERS.items()},
        "words": {name: str(text) for name, text in WORDS.items()},
        "aria": {name: str(text) for name, text in ARIA.items()},
    }


def _told(choices: kinds.Choices) -> list[list[str]]:
    return [[value, str(label)] for value, label in choices]


def _defaults(kind: type[nodes.Node]) -> dict[str, Any]:
    """What a field holds that the exchange format leaves out."""
    return kind.model_fields["data"].get_default().model_dump(by_alias=True, mode="json")
