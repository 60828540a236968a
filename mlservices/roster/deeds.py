"""What can be done with a model as it stands, in words that say what it means for calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..catalog import BY_ID, Kind
from . import figures
from .rows import FETCHING, Row, Standing

VERBS = ("download", "stop", "load", "unload", "warm", "remove")

# What calls lack while the default of a kind is not loaded.
_WITHOUT: dict[Kind, Any] = {
    Kind.STT: gettext_lazy(
        "Every call hears through it: until it is back, callers are not heard and get an apology."
    ),
    Kind.TTS: gettext_lazy(
        "Every call speaks through it: until it is back, agents have no voice and callers get an apology."
    ),
    Kind.LLM: gettext_lazy("Until it is back, agents that speak with it cannot answer."),
    Kind.MEANING: gettext_lazy("Until it is back, agents do not find what callers mean."),
    Kind.TURN: gettext_lazy("Until it is back, only a pause tells agents that a caller is done."),
    Kind.VAD: gettext_lazy("Calls have a copy of their own and notice nothing."),
}


@dataclass(frozen=True, slots=True)
class Deed:
    """A button of a row. It asks first where `ask` has a question."""

    verb: str
    label: str
    icon: str
    hint: str = ""
    ask: str = ""
    ask_text: str = ""
    primary: bool = False  # shown with its word, the others as icons
    barred: bool = False


def deeds_of(row: Row) -> list[Deed]:
    """The first is what one most likely wants. None where the service does not answer."""
    if row.told is None:
        return []
    standing = row.standing
    if standing in FETCHING:
        return [_stop()] if row.told.get("fetching") else []
    if standing is Standing.UNLOADING:
        return []
    if standing is Standing.LOADED:
        return [_unload(row), _warm()]
    if standing in (Standing.STARTING, Standing.LOADING) or row.is_held:
        return [_unload(row)]
    if row.has_files:
        return [_load(row), *_removal(row)]
    return [_download(row), *([] if standing is Standing.ABSENT else _removal(row))]


def _download(row: Row) -> Deed:
    if row.standing is Standing.ABSENT:
        hint = _("Takes up to %(size)s of disk, and goes on when you leave this page.") % {"size": row.disk}
        return Deed("download", _("Download"), "download", hint, primary=True)
    label = _("Go on") if row.standing is Standing.PAUSED else _("Try again")
    hint = _("What was fetched already is not fetched again.")
    return Deed("download", label, "rotate-cw", hint, primary=True)


def _stop() -> Deed:
    hint = _("What is fetched is kept; it can go on from there.")
    return Deed("stop", _("Pause"), "pause", hint, primary=True)


def _load(row: Row) -> Deed:
    place = row.place
    label = _("Load") if row.standing is Standing.READY else _("Try again")
    if row.no_room:
        return Deed("load", label, "play", row.no_room, primary=True, barred=True)
    victims = [BY_ID[id].name if id in BY_ID else id for id in place.get("unload", ())]
    if not victims:
        hint = _("Takes %(memory)s.") % {"memory": row.memory}
        return Deed("load", label, "play", hint, primary=True)
    names = {"name": row.model.name, "memory": row.memory, "others": ", ".join(victims)}
    return Deed(
        "load",
        label,
        "play",
        _("Makes room first: %(others)s") % names,
        ask=_("Load %(name)s?") % names,
        ask_text=_("It needs %(memory)s. To make room, this is unloaded first: %(others)s.") % names,
        primary=True,
    )


def _unload(row: Row) -> Deed:
    hint = _(
        "Frees %(memory)s. Whom it serves now is served to the end; who asks for it next waits until it is "
        "loaded again."
    ) % {"memory": figures.megabytes(row.model.memory_mb * max(1, len(row.workers)))}
    if not row.is_default:
        return Deed("unload", _("Unload"), "power", hint, primary=True)
    text = _(
        "%(without)s Whom it serves now is served to the end; who asks for it next has it loaded again."
    ) % {"without": _WITHOUT[row.model.kind]}
    ask = _("Unload %(name)s?") % {"name": row.model.name}
    return Deed("unload", _("Unload"), "power", hint, ask=ask, ask_text=text, primary=True)


def _warm() -> Deed:
    return Deed("warm", _("Warm up"), "flame", _("Uses it once, so that no caller waits for first use."))


def _removal(row: Row) -> list[Deed]:
    """None of what the service loads when it starts: it would fail then."""
    if row.configured or not row.model.recipe:
        return []
    size = figures.size(row.files.size_bytes or row.files.done_bytes)
    text = _("This frees %(size)s of disk. They can be downloaded again.") % {"size": size}
    ask = _("Remove the files of %(name)s?") % {"name": row.model.name}
    return [Deed("remove", _("Remove files"), "trash-2", ask=ask, ask_text=text)]


def done(row: Row, verb: str) -> str:
    """What to say when the service has taken it; `row` is how the model stands now."""
    name = {"name": row.model.name}
    return {
        "download": _("%(name)s is being downloaded; you may leave this page"),
        "stop": _("%(name)s is paused"),
        "load": _("%(name)s is being loaded"),
        "unload": _("%(name)s is unloaded"),
        "warm": _("%(name)s is warm"),
        "remove": _("The files of %(name)s are removed"),
    }[verb] % name


def not_done_yet(row: Row, verb: str) -> str:
    name = {"name": row.model.name}
    if verb == "unload":
        return _("%(name)s serves its last calls, and is then unloaded") % name
    return _("%(name)s is under way; it goes on by itself") % name


def came_to(row: Row) -> str:
    """What became of what was under way; "" where nothing needs to be said."""
    texts = {
        Standing.LOADED: _("%(name)s is loaded"),
        Standing.READY: _("%(name)s is here, and can be loaded"),
    }
    return texts[row.standing] % {"name": row.model.name} if row.standing in texts else ""
