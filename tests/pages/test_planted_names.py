"""Every text that somebody can write, on every page: none becomes a part of the page.

The world of the browser's walk is built, and then each text column of each table is made to break out of
wherever it is put. What has to keep to a form of its own (addresses, kinds, states) is left.
"""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.utils import IntegrityError
from django.test import Client

from tests.browser.pages import PAGES, World
from voiceforge_site.models import User

ATTRIBUTE, TAG = "data-planted", "vf-planted"
BREAKS_OUT = (
    f"""'"><{TAG} {ATTRIBUTE}=1></script></title></textarea><{TAG}>" {ATTRIBUTE}="1' {ATTRIBUTE}='1"""
)
OURS = ("mlservices", "agents", "telephony", "voiceforge_site")
# Columns that the code reads: not a person's words, though they are text.
FORMS_OF_THEIR_OWN = {
    "slug", "password", "session_key", "session_data", "prefix", "digest", "head", "previous", "token_hash",
    "secret", "sealed", "kind", "state", "status", "role", "language", "line", "file", "code_secret",
    "content", "timezone", "url", "content_type", "etag", "problem", "body", "number",
}  # fmt: skip


def text_columns(model: Any) -> list[models.Field[Any, Any]]:
    return [
        field
        for field in model._meta.concrete_fields
        if type(field) in (models.CharField, models.TextField)
        and not (field.primary_key or field.choices or field.name in FORMS_OF_THEIR_OWN)
        and (model._meta.label_lower, field.name) != ("agents.tool", "name")  # stands in addresses
    ]


def plant() -> set[str]:
    """Where it was written: everywhere but where a rule of the table forbids it."""
    planted = set()
    for model in apps.get_models():
        if model._meta.app_label not in OURS or not model._meta.managed or model._meta.proxy:
            continue
        for field in text_columns(model):
            try:
                with transaction.atomic():
                    for pk in model._base_manager.values_list("pk", flat=True)[:50]:
                        row = model._base_manager.filter(pk=pk)
                        words = f"{pk if field.unique else ''}{BREAKS_OUT}"
                        row.update(**{field.name: words})
                        planted.add(f"{model._meta.label_lower}.{field.name}")
            except IntegrityError:
                planted.discard(f"{model._meta.label_lower}.{field.name}")
    return planted


class Reader(HTMLParser):
    """Finds what was planted where it became a part of the page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == TAG or ATTRIBUTE in dict(attrs):
            self.found.append(f"{tag} {attrs}"[:200])


def broken_out(html: str) -> list[str]:
    reader = Reader()
    reader.feed(html)
    return reader.found


@pytest.mark.parametrize(
    "template",
    ["<p>{}</p>", '<p title="{}"></p>', "<p title='{}'></p>", "<title>{}</title>", "<script>{}</script>"],
)
def test_what_breaks_out_of_a_page_is_found(template: str) -> None:
    assert broken_out(template.format(BREAKS_OUT))


@pytest.mark.skipif(not settings.ON_SQLITE, reason="PostgreSQL keeps nothing that is too long for its column")
@pytest.mark.django_db
def test_no_words_of_a_person_become_a_part_of_any_page(alice: User, alices_browser: Client) -> None:
    world = World()
    made = {page.make(world) for page in PAGES}
    assert {"agents.agent.name", "agents.flow.name", "telephony.call.caller"} <= plant()
    showing = 0
    for address in sorted(made):
        if address.startswith(("/workbench/", "/api/")):  # of tests of browsers alone; nobody writes these
            continue
        answer = alices_browser.get(address)
        assert answer.status_code in (200, 404), address
        if answer.headers["Content-Type"].startswith("text/html"):
            assert not broken_out(answer.text), address
            showing += TAG in answer.text
    assert showing > 60
