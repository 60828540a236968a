"""What the codes of calls are called on the pages; read by templates and, as JSON, by the browser."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from .models import Call

STATES = {
    "ringing": _("Ringing"),
    "listening": _("Listening"),
    "thinking": _("Thinking"),
    "speaking": _("Speaking"),
    "ended": _("Ended"),
}
DIRECTIONS = {"inbound": _("inbound"), "outbound": _("outbound"), "web": _("browser")}
WHO = {"caller": _("Caller"), "agent": _("Agent"), "operator": _("Operator")}
# Turns in which an operator has a part
BY = {"agent": _("Agent, in the words of {by}"), "operator": _("{by}, operator")}
OPERATE = {
    "agent": _("The agent has the call"),
    "mine": _("You have the call"),
    "elsewhere": _("You have the call in another window"),
    "moved": _("You have taken the call over in another window; here your microphone is off."),
    "other": _("{name} has the call"),
    "taking": _("Taking over"),
    "not_taken": _("The call could not be taken over. The agent goes on; try again."),
    "not_done": _("Not yet: the words wait until the caller has spoken, or they were lost. Send them again."),
    "dropped": _("Not said: the call was taken over before. Your words are still here."),
    "faster": _("{name} was faster and has the call."),
    "given_back": _("Your sound stayed away, so the agent has the call again."),
    "blocked": _(
        "The browser lets this page sound only after a click or a key: press M twice to hear the call."
    ),
    "hang_up": _("Hang up although {name} speaks with the caller?"),
    "you": _("{name} (you)"),
    "holds": _("has the call"),
    "listens": _("listens"),
    "watches": _("watches"),
    "person": _("Person"),
}
ALERTS = {
    "emergency": _("The caller speaks of an emergency"),
    "slow_turns": _("Slow answers, three turns in a row"),
    "long_silence": _("The caller is silent"),
    "misunderstood": _("They do not understand each other"),
    "asked_for_person": _("The caller asked for a person"),
    "engine_failing": _("An engine is failing"),
}
BOARD = {
    "choice": _("{label} ({n})"),
    "shown": _("{shown} of {all} calls shown"),
    "of": _("{part} of {all}"),
    "holder": _("{name} has the call"),
    "hang_up": _("Hang up {name}"),
    "hang_up_on": _("Hang up on {caller}, who speaks with {agent}?"),
    "cut_off": _("The caller is cut off at once, in the middle of a sentence too. This cannot be undone."),
    "hang_up_now": _("Hang up"),
    "keep": _("Keep the call"),
    "listen": _("Listen to {name}"),
    "needs": _("{agent}, {caller}: {why}"),
    "unknown": _("an unknown caller"),
}
END_REASONS = {
    "caller_hung_up": _("The caller hung up"),
    "agent_hung_up": _("The agent hung up"),
    "operator_hung_up": _("An operator hung up"),
    "transferred": _("Transferred"),
    "silence": _("The caller stayed silent"),
    "max_duration": _("The longest duration was reached"),
    "engine_failure": _("An engine failed"),
    "line_lost": _("The line was lost"),
    "server_restarted": _("The server was restarted"),
    "never_connected": _("The line never opened"),
    "spoken_elsewhere": _("Answered on another telephone"),
    "not_placed": _("The call was not placed"),
    "machine": _("A machine answered"),
}
# How calls end at a step of their flow
FLOW_ENDS = END_REASONS | {
    "to_agent": _("Handed over to another agent"),
    "lost": _("The flow could not go on"),
}
# What a call leans on, and what was done when it failed
ENGINES = {
    "stt": _("Hearing"),
    "tts": _("Voice"),
    "llm": _("Language model"),
    "conversation": _("Conversation"),
}
REMEDIES = {
    "retried": _("tried again, which worked"),
    "apologised": _("apologised"),
    "gave_up": _("gave up"),
}
# What feedback is on
FEEDBACK = {
    "stt_accuracy": _("hearing"),
    "tts_quality": _("the voice"),
    "latency": _("how soon it answers"),
    "overall": _("the whole"),
}
# Why a caller was not put through
TRANSFERS = {
    "busy": _("it was busy"),
    "no-answer": _("nobody answered"),
    "failed": _("it could not be reached"),
    "canceled": _("the caller hung up before"),
    "refused": _("it may not be called from here"),
}
# kind of event: (icon, class, text with the event's fields)
NOTES = {
    "digits_pressed": ("grid-3x3", "", _("Pressed {digits}")),
    "step_noted": ("sparkles", "vf-mono", _("{note}: {name}")),
    "message_taken": ("mail", "", _("Message taken")),
    "silence_prompted": ("hourglass", "", _("Silence: asked whether anyone is there ({count})")),
    "engine_failed": ("triangle-alert", "vf-note-warn", _("{engine} failed, {remedy}: {error}")),
    "transfer_started": ("phone-forwarded", "", _("Transfer to {number}")),
    "transfer_answered": ("phone-forwarded", "", _("Put through: somebody answered")),
    "transfer_lasted": ("phone-forwarded", "", _("Put through: they spoke for {seconds} s")),
    "transfer_failed": ("phone-off", "vf-note-warn", _("Not put through: {status}")),
    "words_forgotten": (
        "eye-off",
        "",
        _("Once the call is over, nothing of what was said in it is kept: the flow asks for that."),
    ),
    "feedback_given": ("star", "", _("Feedback on {category}: {score} of 5. {comment}")),
    "operator_whispered": ("megaphone", "vf-note-person", _("{by} whispers to the agent: {text}")),
    "whisper_not_followed": (
        "megaphone-off",
        "vf-note-warn",
        _("The agent cannot follow “{text}” ({by}): it has no language model. Say it, or take over."),
    ),
    "operator_took_over": ("mic", "vf-note-person", _("{by} took the call over.")),
    "operator_lost": (
        "unplug",
        "vf-note-warn",
        _("The sound of {by} stayed away: the agent has the call again."),
    ),
    "operator_gave_back": ("undo-2", "vf-note-person", _("{by} gave the call back. {note}")),
    "caller_said_nothing": ("ear", "", _("“{text}”, which is no turn")),
}
# A turn's stages in their order: (name, field, field of the part spent waiting for a worker)
STAGES = (
    ("endpointing", _("End of turn"), _("deciding that the caller is done"), ""),
    ("words", _("Words"), _("turning speech into words"), "stt_queue_seconds"),
    ("text", _("Reply"), _("finding the first sentence"), "llm_queue_seconds"),
    ("audio", _("Voice"), _("making its first sound"), "tts_queue_seconds"),
)
STAGE_TITLE = _("{label}: {ms} ms, {what}")
STAGE_TITLE_WAITED = _("{label}: {ms} ms, {what} ({queued} ms of it waiting for a free worker)")
UNITS = {"milliseconds": _("{n} ms"), "seconds": _("{n} s")}
LINES = {
    "twilio": _("Twilio"),
    "zadarma": _("Zadarma"),
    "browser": _("Browser"),
    "sip": "SIP",
    "api": _("API"),
}

TALK = {
    "idle": _("Not connected"),
    "asking": _("Waiting for your microphone"),
    "connecting": _("Connecting"),
    "over": _("The call is over"),
    "transfer": _("A caller would now be put through to {number}; a browser cannot be"),
    "muted": _("Muted"),
}
# What can keep a browser from talking: (what happened, what to do)
PROBLEMS = {
    "insecure": (
        _("The browser gives no microphone to this address."),
        _("Open the page over https, or as http://localhost on the machine itself."),
    ),
    "refused": (
        _("The microphone was refused."),
        _("Allow it for this site in the address bar of your browser, then talk again."),
    ),
    "missing": (
        _("No microphone was found."),
        _("Plug one in or switch it on in the sound settings of your system, then talk again."),
    ),
    "in_use": (
        _("The microphone cannot be opened."),
        _("Another program may be using it: close that, or choose another microphone, then talk again."),
    ),
    "not_changed": (
        _("That microphone cannot be opened."),
        _("The call goes on with the one it had. Another program may be using it, or it was refused."),
    ),
    "unsupported": (
        _("This browser cannot carry a call."),
        _("Use a current Chrome, Edge, Firefox or Safari."),
    ),
    "turned_away": (_("The call was not answered."), ""),
    "signed_out": (_("You are signed out."), _("Reload the page and sign in, then talk again.")),
    "expired": (_("The server refused the call."), _("Reload the page, then talk again.")),
    "server_failed": (
        _("The server could not start the call."),
        _("Talk again; if it fails again, the log of the server says why."),
    ),
    "unreachable": (_("The server does not answer."), _("Talk again in a moment; no call was begun.")),
    "lost": (
        _("The connection to the server was lost."),
        _("A call cannot be resumed; what was said is kept on its page. Talk again to start a new one."),
    ),
}


def labels() -> dict[str, dict[str, str]]:
    """For the browser."""
    groups: dict[str, Mapping[str, object]] = {
        "states": STATES,
        "directions": DIRECTIONS,
        "who": WHO,
        "by": BY,
        "operate": OPERATE,
        "alerts": ALERTS,
        "board": BOARD,
        "ends": END_REASONS,
        "statuses": dict(Call.Status.choices),
        "talk": TALK,
        "units": UNITS,
        "engine": ENGINES,
        "remedy": REMEDIES,
        "feedback": FEEDBACK,
        "transfers": TRANSFERS,
        "stages": {name: label for name, label, _what, _queue in STAGES},
        "stage_work": {name: what for name, _label, what, _queue in STAGES},
        "stage_titles": {"plain": STAGE_TITLE, "waited": STAGE_TITLE_WAITED},
        "problems": {code: what for code, (what, _remedy) in PROBLEMS.items()},
        "remedies": {code: remedy for code, (_what, remedy) in PROBLEMS.items()},
    }
    return {name: {code: str(text) for code, text in group.items()} for name, group in groups.items()}
