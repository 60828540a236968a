"""How the tests of a flow failed, in sentences: what was expected, what happened, at which turn."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..flow.graph import Problem
from .testing import Failure
from .texts import sentence

_SENTENCES: dict[str, Promise] = {
    "node": _("expected the call to be at “%(expected)s”; it was at “%(found)s”."),
    "edge": _("expected the connection “%(expected)s”; taken was: “%(found)s”."),
    "no_edge": _("expected the connection “%(expected)s”; none was taken."),
    "intent": _("expected the meaning “%(expected)s”; it was taken for “%(found)s”."),
    "no_intent": _("expected the meaning “%(expected)s”; it was taken for none."),
    "by": _("expected “%(expected)s” to decide; it was decided by “%(found)s”."),
    "no_by": _("expected “%(expected)s” to decide; nothing was decided."),
    "variable": _("expected “%(name)s” to be “%(expected)s”; it was “%(found)s”."),
    "variable_unset": _("expected “%(name)s” to be “%(expected)s”; it had no value."),
    "tool": _("expected the tool “%(expected)s” to be called; called was: “%(found)s”."),
    "no_tool": _("expected the tool “%(expected)s” to be called; none was."),
    "said": _("expected the words “%(expected)s”; the agent said: “%(found)s”"),
    "no_said": _("expected the words “%(expected)s”; the agent said nothing."),
    "not_ended": _("expected the agent to hang up; the call went on."),
    "ended": _("expected the call to go on; the agent hung up."),
    "transfer": _("expected a transfer to %(expected)s; it went to %(found)s."),
    "no_transfer": _("expected a transfer to %(expected)s; there was none."),
    "unwanted_transfer": _("expected no transfer; the call went to %(found)s."),
    "over_before": _("the call was over by then: it ended at turn %(last)s."),
    "tool_without_answer": _("The tool “%(tool)s” was called. Say in the test what it answers."),
    "too_slow": _("It took more than %(seconds)s seconds and was stopped."),
    "not_played": _("It could not be played: %(reason)s"),
}


def sentence_of(failure: Failure) -> str:
    if failure.code not in _SENTENCES:
        values = {name: value for name, value in failure.values.items() if name != "path"}
        return sentence(Problem(failure.code, path=failure.values.get("path", ""), values=values))
    text = str(_SENTENCES[failure.code]) % failure.values
    if not failure.turn:
        return text
    place: dict[str, object] = {"turn": failure.turn, "did": failure.did, "text": text}
    if failure.did:
        return gettext("Turn %(turn)d, “%(did)s”: %(text)s") % place
    return gettext("Turn %(turn)d: %(text)s") % place
