"""What is wrong with a flow, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """A flow with an error cannot be published; a warning is the author's to judge."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """`code` and `values` make the sentence that people read (`agents.problem_texts`); the rest is its place.

    `path` leads to the place in the data of the node or edge, as in "options.2.value".
    """

    code: str
    node: str = ""
    edge: str = ""
    path: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    severity: Severity = Severity.ERROR
