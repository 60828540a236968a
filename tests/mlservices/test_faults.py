from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, Field, ValidationError

from mlservices.faults import remedy


class Sent(BaseModel):
    name: str = Field("x", min_length=1)
    language: str = Field("en", min_length=2)
    turns: list[int] = Field([1], min_length=1, max_length=2)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"name": ""}, "It is empty: write something."),
        ({"language": "e"}, "It takes 2 characters at least."),
        ({"turns": []}, "It takes 1 at least."),
        ({"turns": [1, 2, 3]}, "It takes 2 at most."),
    ],
)
def test_what_is_too_short_or_too_long_is_told_with_its_limit(sent: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Sent(**sent)
    assert [remedy(fault) for fault in caught.value.errors()] == [words]
