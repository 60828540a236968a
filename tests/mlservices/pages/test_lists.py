"""Order and place of a list, read from its address."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import RequestFactory
from django.utils import timezone

from agents.models import Agent
from mlservices.pages.lists import newest_page, numbered_page, per_page, sorting
from tests.factories import make_agent

COLUMNS = {"name": "name", "made": "created_at"}


def asked(query: str = ""):
    return RequestFactory().get(f"/?{query}")


@pytest.mark.parametrize(
    ("query", "word", "names"),
    [
        ("", "name", ["Ada", "Bea"]),
        ("sort=-name", "-name", ["Bea", "Ada"]),
        ("sort=made", "made", ["Bea", "Ada"]),
        ("sort=password", "name", ["Ada", "Bea"]),
        ("sort=--name", "name", ["Ada", "Bea"]),
    ],
)
def test_the_order_is_what_the_address_names_among_the_columns(db, query, word, names) -> None:
    make_agent("Bea"), make_agent("Ada")
    sort = sorting(asked(query), COLUMNS, default="name")
    assert sort.word == word
    assert list(Agent.objects.order_by(*sort.order()).values_list("name", flat=True)) == names


def test_rows_without_a_value_come_last_both_ways(db) -> None:
    Agent.objects.all().delete()
    sort = sorting(asked("sort=name"), COLUMNS, default="name", nullable=["name"])
    assert sort.order()[0].nulls_last  # type: ignore[union-attr]


def test_the_number_of_rows_is_one_of_those_offered() -> None:
    assert [per_page(asked(query)) for query in ("", "per=100", "per=1000000", "per=x")] == [50, 100, 50, 50]


def test_a_page_that_is_not_there_is_the_last_one(db) -> None:
    make_agent("Ada")
    assert numbered_page(asked("page=99"), Agent.objects.order_by("name")).number == 1


def test_a_long_list_is_walked_there_and_back_without_gap_or_repetition(db) -> None:
    for number in range(60):
        make_agent(f"Agent {number:02}")
    same = timezone.now()
    for number, agent in enumerate(Agent.objects.order_by("pk")):  # three share each moment
        Agent.objects.filter(pk=agent.pk).update(created_at=same + timedelta(seconds=number // 3))
    expected = [agent.pk for agent in Agent.objects.order_by("-created_at", "-pk")]

    first = newest_page(asked("per=25"), Agent.objects.all())
    second = newest_page(RequestFactory().get("/", {"per": 25, "after": first.older}), Agent.objects.all())
    third = newest_page(RequestFactory().get("/", {"per": 25, "after": second.older}), Agent.objects.all())
    assert [row.pk for page in (first, second, third) for row in page] == expected
    assert (first.newer, third.older) == ("", "")

    back = newest_page(RequestFactory().get("/", {"per": 25, "before": third.newer}), Agent.objects.all())
    assert [row.pk for row in back] == [row.pk for row in second]
    start = newest_page(RequestFactory().get("/", {"per": 25, "before": back.newer}), Agent.objects.all())
    assert [row.pk for row in start] == [row.pk for row in first]
    assert start.newer == ""


@pytest.mark.parametrize(
    "cursor", ["x", "2026-01-01T00:00:00+00:00", "2026-13-01T00:00:00~1", "~", "2026-01-01T00:00:00+00:00~x"]
)
def test_a_cursor_that_cannot_be_read_is_the_beginning(db, cursor) -> None:
    make_agent("Ada")
    assert len(newest_page(RequestFactory().get("/", {"after": cursor}), Agent.objects.all())) == 1
