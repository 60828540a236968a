"""What was used, as the page shows it, and the prices that administrators set."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from mlservices.ledger import Asker
from mlservices.models import Price, UsageDay, UsageRow
from tests.factories import make_usage
from tests.mlservices.test_ledger import entry, write

PAGE = "/usage/"
PRICE = {"engine": "gpt-4o-mini", "amount": "0.60", "per": "1000000", "since": "2026-01-01"}


def test_its_figures_are_those_of_the_rows(alices_browser):
    make_usage()
    context = alices_browser.get(PAGE, {"period": "7-days"}).context
    assert context["totals"].requests == UsageRow.objects.count() > 0
    assert sum(part.sums.requests for part in context["parts"]) == context["totals"].requests
    assert sum(column.requests for column in context["columns"]) == context["totals"].requests
    assert [key for key, _ in context["keys"]] == ["reporting"]
    assert len(context["columns"]) == 7
    assert max(column.height for column in context["columns"]) == 100


def test_days_before_the_period_are_not_counted(alices_browser):
    make_usage(days=20)
    week, month = (
        alices_browser.get(PAGE, {"period": period}).context["totals"] for period in ("7-days", "30-days")
    )
    assert 0 < week.requests < month.requests == UsageRow.objects.count()


def test_where_nothing_was_used_it_says_what_to_do(alices_browser):
    page = alices_browser.get(PAGE, {"period": "nonsense"})
    assert b"Place a call or try an agent" in page.content
    assert b"no price is set yet" in page.content


def test_a_price_is_set_used_for_what_comes_after_and_deleted_with_the_costs_kept(alices_browser):
    assert alices_browser.post(reverse("usage:add_price"), PRICE, follow=True).status_code == 200
    price = Price.objects.get()
    assert (price.engine, price.amount, price.per) == ("gpt-4o-mini", Decimal("0.60"), 1_000_000)
    write([entry("llm", "gpt-4o-mini", 500_000)])
    alices_browser.post(reverse("usage:delete_price", args=[price.pk]))
    assert not Price.objects.exists()
    assert UsageDay.objects.get().cost == Decimal("0.30")


def test_a_price_of_answers_is_shown_and_reckoned_with(alices_browser):
    alices_browser.post(reverse("usage:add_price"), PRICE | {"answer_amount": "2.4"})
    write([entry("llm", "gpt-4o-mini", 500_000, answered=100_000)])
    assert UsageDay.objects.get().cost == Decimal("0.48")
    page = alices_browser.get(PAGE).content.decode()
    assert "0.6" in page and "2.4" in page


def test_a_price_of_a_later_day_leaves_the_earlier_one_in_the_list(alices_browser):
    for changes in ({}, {"since": "2026-02-01", "amount": "0.90"}):
        alices_browser.post(reverse("usage:add_price"), PRICE | changes)
    history = alices_browser.get(PAGE).context["prices"]
    assert [(price.since.isoformat(), price.amount) for price in history] == [
        ("2026-02-01", Decimal("0.90")),
        ("2026-01-01", Decimal("0.60")),
    ]


def test_what_was_refused_is_told_apart_from_what_failed(alices_browser):
    today = datetime.now(UTC)
    outcomes = ["served"] * 2 + ["refused"] * 5 + ["failed"]
    write([entry(at=today, key="reporting", outcome=outcome) for outcome in outcomes])
    page = alices_browser.get(PAGE)
    totals = page.context["totals"]
    assert (totals.requests, totals.refused, totals.failed) == (8, 5, 1)
    assert totals.failed_share == pytest.approx(1 / 3), "of those that could have been served"
    assert b"5 more were refused" in page.content


def test_tokens_that_nobody_counted_are_marked_as_estimates(alices_browser):
    today = datetime.now(UTC)
    write([entry("llm", "gpt-4o-mini", 500, at=today)])
    assert "≈" not in alices_browser.get(PAGE).content.decode()
    write([entry("llm", "gpt-4o-mini", 500, at=today, estimated=True)])
    assert "≈" in alices_browser.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"amount": "-1"}, "amount"),
        ({"answer_amount": "-1"}, "answer_amount"),
        ({"per": "0"}, "per"),
        ({"since": "soon"}, "since"),
        ({"engine": ""}, "engine"),
    ],
)
def test_a_wrong_price_is_refused_at_its_field_with_what_was_typed_kept(alices_browser, wrong, field):
    page = alices_browser.post(reverse("usage:add_price"), PRICE | wrong)
    assert page.status_code == 422
    assert list(page.context["form"].errors) == [field]
    assert not Price.objects.exists()


def test_one_price_a_day_for_an_engine(alices_browser):
    for _ in range(2):
        page = alices_browser.post(reverse("usage:add_price"), PRICE)
    assert page.status_code == 422
    assert Price.objects.count() == 1


def test_who_may_not_set_prices_sees_them_without_the_form(client, alice):
    alice.role = "designer"
    alice.save()
    client.force_login(alice)
    Price.objects.create(**PRICE)
    page = client.get(PAGE)
    assert b"gpt-4o-mini" in page.content
    assert b"Set the price" not in page.content
    assert client.post(reverse("usage:add_price"), PRICE).status_code == 403


@pytest.mark.django_db
def test_the_page_asks_little_of_the_database_however_much_was_used(
    alices_browser, django_assert_max_num_queries
):
    make_usage(days=7)
    write([entry("tts", f"voice-{number}", key=Asker(f"key-{number}").key) for number in range(30)])
    with django_assert_max_num_queries(12):
        alices_browser.get(PAGE, {"period": "7-days"})
