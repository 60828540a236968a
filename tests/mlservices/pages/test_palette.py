from __future__ import annotations

import pytest

from mlservices.pages.palette import SHOWN, Entry, matching, rank


@pytest.mark.parametrize(
    ("title", "words", "expected"),
    [
        ("Front desk", "front desk", 0),
        ("Front desk", "FRO", 1),
        ("Front desk", "de", 2),
        ("Front desk", "esk", 3),
        ("Talk to Front desk", "front talk", 3),
        ("Front desk", "front x", None),
    ],
)
def test_the_nearer_the_words_the_lower_the_rank(title: str, words: str, expected: int | None) -> None:
    assert rank(title, words) == expected


def test_the_best_come_first_and_no_more_than_fit() -> None:
    names = ["Old front", "Front desk", "Front", *(f"Another front {n}" for n in range(10))]
    [group] = matching("Agents", [Entry(name, "bot") for name in names], "front")
    assert [entry.title for entry in group.entries][:3] == ["Front", "Front desk", "Old front"]
    assert len(group.entries) == SHOWN
    assert not list(matching("Agents", [Entry("Hotel", "bot")], "front"))
