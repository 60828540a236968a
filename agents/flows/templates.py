"""Flows to begin with: one file each, in the exchange format, with its tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "templates"
_ORDER = ("clinic", "restaurant", "sales", "support", "payment", "survey", "after-hours")
_WIDTH, _HEIGHT = 240, 78  # of a step, as static/js/flow/model.js draws it


@dataclass(frozen=True, slots=True)
class Template:
    id: str
    graph: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.graph["name"])

    @property
    def steps(self) -> int:
        return len(_drawn(self.graph))

    @property
    def picture(self) -> Picture:
        return picture_of(self.graph)


@dataclass(frozen=True, slots=True)
class Picture:
    """An SVG's parts: `box` is its viewBox; boxes as (x, y, type), lines as paths."""

    box: str
    boxes: tuple[tuple[float, float, str], ...]
    lines: tuple[str, ...]


@cache
def templates() -> tuple[Template, ...]:
    return tuple(
        Template(each, json.loads((_FOLDER / f"{each}.json").read_text(encoding="utf-8"))) for each in _ORDER
    )


def template(id: str) -> Template | None:
    return next((each for each in templates() if each.id == id), None)


def picture_of(graph: dict[str, Any]) -> Picture:
    """Where the steps stand and how they are connected."""
    places = {node["id"]: (node["position"]["x"], node["position"]["y"]) for node in _drawn(graph)}
    boxes = tuple((*places[node["id"]], node["type"]) for node in _drawn(graph))
    left, top = (min(axis) for axis in zip(*places.values(), strict=True))
    right, bottom = (max(axis) for axis in zip(*places.values(), strict=True))
    box = f"{left - 20} {top - 20} {right - left + _WIDTH + 40} {bottom - top + _HEIGHT + 40}"
    return Picture(box, boxes, tuple(_lines(graph, places)))


def _lines(graph: dict[str, Any], places: dict[str, tuple[float, float]]) -> Iterator[str]:
    for edge in graph["edges"]:
        (x, y), (to_x, to_y) = places[edge["source"]], places[edge["target"]]
        begin, end = (x + _WIDTH, y + _HEIGHT / 2), (to_x, to_y + _HEIGHT / 2)
        middle = (begin[0] + end[0]) / 2
        yield f"M{begin[0]} {begin[1]}C{middle} {begin[1]} {middle} {end[1]} {end[0]} {end[1]}"


def _drawn(graph: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in graph["nodes"] if node["type"] != "note"]
