"""What differs between two flows, in the exchange format, part by part: pure, no rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Change = Literal["added", "removed", "changed"]
Part = Literal["step", "connection", "variable", "intent", "test", "flow"]
# The lists of a flow, what a part of each is called, and what tells one from another.
_LISTS: tuple[tuple[str, Part, str], ...] = (
    ("nodes", "step", "id"),
    ("edges", "connection", "id"),
    ("variables", "variable", "name"),
    ("intents", "intent", "id"),
    ("tests", "test", "name"),
)

WIDTH, HEIGHT, GAP = 240, 78, 24  # of a step on the canvas, as in static/js/flow/model.js


@dataclass(frozen=True, slots=True)
class Difference:
    """`fields` are the names of what changed in it, `values` how, (before, after), where that is a text or a
    number; `id` and `type` are of a step. Where a step stands on the canvas makes no difference."""

    change: Change
    part: Part
    name: str
    id: str = ""
    type: str = ""
    fields: tuple[str, ...] = ()
    values: Mapping[str, tuple[Any, Any]] = field(default_factory=dict, compare=False)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """The flow's own fields first, then steps, connections, variables, intents and tests, each in its new
    order."""
    own = _changed_fields(_own(old), _own(new))
    found = [Difference("changed", "flow", "", fields=own)] if own else []
    for name, part, key in _LISTS:
        found += _of_list(part, _by(key, old.get(name)), _by(key, new.get(name)), old, new)
    return found


def on_canvas(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """`graph` is the new flow with what the old one had besides, and `lit` what differs, {id: change}; empty
    where nothing differs that is drawn. A removed step stands where it stood, or below what stands there."""
    drawn = [each for each in differences(old, new) if each.part in ("step", "connection")]
    if not drawn:
        return {}
    nodes, edges = (list(_by("id", new.get(name)).values()) for name in ("nodes", "edges"))
    gone = {name: _by("id", old.get(name)) for name in ("nodes", "edges")}
    for each in drawn:
        if each.change == "removed" and each.part == "step":
            nodes.append({**gone["nodes"][each.id], "position": _free(gone["nodes"][each.id], nodes)})
        elif each.change == "removed":
            edges.append(gone["edges"][each.id])
    return {"graph": {**new, "nodes": nodes, "edges": edges}, "lit": {each.id: each.change for each in drawn}}


def _free(node: Mapping[str, Any], others: list[Mapping[str, Any]]) -> dict[str, float]:
    """Its place, or the next below it where nothing stands."""
    (x, y), taken = _place(node), [_place(each) for each in others]
    while any(abs(left - x) < WIDTH and abs(top - y) < HEIGHT for left, top in taken):
        y += HEIGHT + GAP
    return {"x": x, "y": y}


def _place(node: Mapping[str, Any]) -> tuple[float, float]:
    position = node.get("position")
    told = position if isinstance(position, Mapping) else {}
    x, y = (told.get(axis) for axis in ("x", "y"))
    return (x if isinstance(x, int | float) else 0, y if isinstance(y, int | float) else 0)


def _of_list(
    part: Part,
    before: Mapping[str, Mapping[str, Any]],
    after: Mapping[str, Mapping[str, Any]],
    old: Mapping[str, Any],
    new: Mapping[str, Any],
) -> Iterator[Difference]:
    for key, each in after.items():
        name, type = _name(part, each, new), str(each.get("type", ""))
        if key not in before:
            yield Difference("added", part, name, key, type)
        elif fields := _changed_fields(was := _content(before[key]), now := _content(each)):
            values = {each: (was.get(each), now.get(each)) for each in fields}
            told = {each: pair for each, pair in values.items() if all(map(_is_plain, pair))}
            yield Difference("changed", part, name, key, type, fields, told)
    for key, each in before.items():
        if key not in after:
            yield Difference("removed", part, _name(part, each, old), id=key, type=str(each.get("type", "")))


def _is_plain(value: Any) -> bool:
    """Nothing, a text or a number."""
    return value is None or (isinstance(value, str | int | float) and not isinstance(value, bool))


def _own(flow: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in flow.items() if name not in {each for each, _, _ in _LISTS}}


def _content(part: Mapping[str, Any]) -> dict[str, Any]:
    """What a call would notice of it, flat: of a step its data, of a connection its condition too."""
    apart = ("id", "position", "data", "condition")
    flat = {name: value for name, value in part.items() if name not in apart}
    for name in ("data", "condition"):
        inner = part.get(name)
        flat |= inner if isinstance(inner, Mapping) else {}
    return flat


def _changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    names = dict.fromkeys([*after, *before])
    return tuple(name for name in names if _plain(before.get(name)) != _plain(after.get(name)))


def _plain(value: Any) -> Any:
    """Nothing at all is the same as an empty text or list."""
    return None if value in ("", [], {}) else value


def _by(key: str, parts: Any) -> dict[str, Mapping[str, Any]]:
    listed = parts if isinstance(parts, list) else []
    return {str(each.get(key, "")): each for each in listed if isinstance(each, Mapping)}


def _name(part: Part, each: Mapping[str, Any], flow: Mapping[str, Any]) -> str:
    if part == "connection":
        steps = _by("id", flow.get("nodes"))
        ends = (str(each.get(end, "")) for end in ("source", "target"))
        return " – ".join(_name("step", steps[end], flow) if end in steps else end for end in ends)
    data = each.get("data")
    label = data.get("label") if isinstance(data, Mapping) else None
    return str(label or each.get("name") or each.get("id") or "")
