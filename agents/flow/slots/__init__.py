"""One typed value asked of a caller, by speech or keys: read, checked, read back, asked for again."""

from .gatherer import Gatherer
from .kinds import Confirm, Kind, Option, Reading, Reason, Refusal, Slot, SoFar, Value
from .reading import read, read_keys

__all__ = [
    "Confirm",
    "Gatherer",
    "Kind",
    "Option",
    "Reading",
    "Reason",
    "Refusal",
    "Slot",
    "SoFar",
    "Value",
    "read",
    "read_keys",
]
