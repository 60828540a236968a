"""What keys used, by day, service, engine and key."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db.models import Sum
from django.test import Client

from mlservices.api.usage import GROUPS
from mlservices.ledger import write
from mlservices.models import UsageRow
from tests.mlservices.api.conftest import bearer
from tests.mlservices.test_ledger import NOON, entry, some_entries
from voiceforge_site.access import key_actions

PERIOD = "from=2026-03-01&to=2026-03-31"


def used(key, query=PERIOD):
    return Client().get(f"/api/usage?{query}", headers=bearer(key))


@pytest.mark.parametrize("group", GROUPS)
def test_totals_equal_rows_and_both_equal_what_was_noted(new_key, group):
    write(some_entries(80))
    answer = used(new_key("administrator"), f"{PERIOD}&group={group}").json()
    assert len(answer["totals"]) == 3
    assert all(total["mean_first_piece_ms"] > 0 for total in answer["totals"]), "not how long all took"
    for total in answer["totals"]:
        rows = [row for row in answer["rows"] if row["service"] == total["service"]]
        noted = UsageRow.objects.filter(service=total["service"])
        for name in ("requests", "failed", "refused", "degraded"):
            assert sum(row[name] for row in rows) == total[name]
        assert total["requests"] == noted.count()
        assert sum(row["amount"] for row in rows) == pytest.approx(total["amount"])
        assert total["amount"] == pytest.approx(noted.aggregate(all=Sum("amount"))["all"])
        assert sum(Decimal(row["cost"]) for row in rows) == Decimal(total["cost"])
        assert {row["unit"] for row in rows} == {total["unit"]}
    assert len({(row[group], row["service"]) for row in answer["rows"]}) == len(answer["rows"])


def test_a_key_sees_its_own_alone_and_an_administrators_sees_all(new_key, alices_browser, bob, bobs_browser):
    mine, theirs = new_key("operator"), new_key("administrator")
    write([entry(key=mine[:14]), entry(key=theirs[:14]), entry()])
    assert [row["key"] for row in used(mine, f"{PERIOD}&group=key").json()["rows"]] == [mine[:14]]
    keys_seen = {row["key"] for row in used(theirs, f"{PERIOD}&group=key").json()["rows"]}
    assert keys_seen == {mine[:14], theirs[:14], ""}
    assert alices_browser.get(f"/api/usage?{PERIOD}").json()["totals"][0]["requests"] == 3
    assert bobs_browser.get(f"/api/usage?{PERIOD}").json()["totals"] == []
    write([entry(key=key_actions.create("Reports", bob)[0].prefix)])
    assert bobs_browser.get(f"/api/usage?{PERIOD}").json()["totals"][0]["requests"] == 1


def test_days_outside_the_period_are_left_out(new_key):
    key = new_key("administrator")
    write([entry(at=NOON)])
    assert used(key, "from=2026-03-05&to=2026-03-05").json()["totals"][0]["requests"] == 1
    assert used(key, "from=2026-03-06&to=2026-03-07").json()["totals"] == []
    assert used(key, "").json()["group"] == "day"


@pytest.mark.parametrize(
    "query, field",
    [
        ("from=x", "from"),
        ("to=2026-13-01", "to"),
        ("group=person", "group"),
        ("call=yesterdays", "call"),
        ("from=2026-03-02&to=2026-03-01", "from"),
        ("from=2020-01-01&to=2026-01-01", "from"),
    ],
)
def test_what_is_wrong_with_a_question_is_told_by_field(new_key, query, field):
    answer = used(new_key("administrator"), query)
    assert (answer.status_code, set(answer.json()["fields"])) == (400, {field})


def test_what_a_call_asked_for_is_told_from_its_rows(new_key):
    call, other = uuid4(), uuid4()
    write(
        [
            entry("stt", "whisper", 2.5, call=call),
            entry("llm", "openai", 40, call=call, estimated=True),
            entry("llm", "a Space", 0, call=call, outcome="failed"),
            entry("llm", "openai", 38, call=call, degraded=True, at=NOON + timedelta(days=1)),
            entry("llm", "openai", 500, call=other),
            entry("llm", "openai", 500),
        ]
    )
    key = new_key("administrator")
    answer = used(key, f"{PERIOD}&call={call}&group=engine").json()
    assert answer["call"] == str(call)
    found = {
        row["engine"]: (row["requests"], row["failed"], row["degraded"], row["estimated"], row["amount"])
        for row in answer["rows"]
    }
    assert found == {
        "whisper": (1, 0, 0, 0, 2.5),
        "openai": (2, 0, 1, 1, 78),
        "a Space": (1, 1, 0, 0, 0),
    }
    days = used(key, f"{PERIOD}&call={call}").json()["rows"]
    assert [(row["day"], row["service"], row["requests"]) for row in days] == [
        ("2026-03-05", "llm", 2),
        ("2026-03-05", "stt", 1),
        ("2026-03-06", "llm", 1),
    ]
    assert used(key, f"from=2026-03-06&to=2026-03-06&call={call}").json()["totals"][0]["requests"] == 1
    assert used(new_key("operator"), f"{PERIOD}&call={call}").json()["totals"] == []
