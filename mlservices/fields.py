"""What the ML service and the public API before it both take, as fields of their forms."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

LONGEST_TEXT = 5000  # characters


def _without_null(text: str) -> str:
    if "\0" in text:
        raise ValueError("a null character cannot be spoken")
    return text


Unbroken = AfterValidator(_without_null)
Text = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT), Unbroken]
Speed = Annotated[float, Field(ge=0.5, le=2.0)]
Threshold = Annotated[float, Field(ge=0.05, le=0.95)]
SessionId = Annotated[str, Field(min_length=1, max_length=200)]
Mode = Literal["assistant"]  # of a session of chat: there is no other
