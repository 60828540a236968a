"""Pages of knowledge bases."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from agents.flows.actions import create_flow
from agents.knowledge import tasks, views
from agents.models import KnowledgeBase, Source
from tests.agents.fakes import WordEmbedder
from tests.agents.knowledge.documents import docx
from tests.agents.knowledge.test_knowledge import TALK

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (tasks, views):
        monkeypatch.setattr(module.registry, "embedder", WordEmbedder)
    monkeypatch.setattr("agents.knowledge.actions.async_task", lambda name, pk: tasks.read_source(pk))


def test_a_base_is_made_filled_asked_and_deleted(alices_browser):
    assert "Nothing to look up yet" in alices_browser.get("/knowledge/").content.decode()
    assert alices_browser.post("/knowledge/", {"name": "Clinic"}).url == "/knowledge/clinic/"
    assert "No sources yet" in alices_browser.get("/knowledge/clinic/").content.decode()
    files = [SimpleUploadedFile("a.docx", docx()), SimpleUploadedFile("b.pdf", b"%PDF-1.4 broken")]
    alices_browser.post("/knowledge/clinic/add/", {"files_shown": "", "files": files})
    alices_browser.post("/knowledge/clinic/add/", {"title": "FAQ", "pairs": "parking spaces;Yes, behind it."})
    page = alices_browser.get("/knowledge/clinic/").content.decode()
    assert "a.docx" in page and "The PDF is damaged" in page and "3 passages" in page
    found = alices_browser.post("/knowledge/clinic/ask/", {"question": "parking spaces"}).content.decode()
    assert "Yes, behind it." in found and "1.00" in found and "FAQ" in found
    assert "Write a question first" in alices_browser.post("/knowledge/clinic/ask/").content.decode()

    broken = Source.objects.get(name="b.pdf")
    alices_browser.post(f"/knowledge/clinic/sources/{broken.pk}/", {"do": "remove"})
    alices_browser.post(f"/knowledge/clinic/sources/{Source.objects.get(name='FAQ').pk}/", {"do": "again"})
    assert [(each.name, each.state) for each in Source.objects.all()] == [
        ("a.docx", "ready"),
        ("FAQ", "ready"),
    ]
    alices_browser.post("/knowledge/clinic/delete/")
    assert not KnowledgeBase.objects.exists()


@pytest.mark.parametrize(
    "sent, reason",
    [
        ({"address": "ftp://x/"}, "like https://example.com/prices"),
        ({"address": ""}, "required"),
        ({"title": "FAQ", "pairs": "no answer"}, "Line 1: write a question"),
    ],
)
def test_what_is_added_wrongly_is_said_at_its_field(alices_browser, sent, reason):
    alices_browser.post("/knowledge/", {"name": "Clinic"})
    answer = alices_browser.post("/knowledge/clinic/add/", sent)
    assert answer.status_code == 422 and reason in answer.content.decode()
    assert not Source.objects.exists()


def test_one_that_a_flow_uses_is_kept_and_named(alices_browser):
    alices_browser.post("/knowledge/", {"name": "Clinic"})
    create_flow(graph=TALK, name="Talk", by="alice")
    assert "Talk" in alices_browser.get("/knowledge/clinic/").content.decode()
    page: Any = alices_browser.post("/knowledge/clinic/delete/", follow=True)
    assert "Take it from these flows first: Talk." in page.content.decode()


def test_a_viewer_looks_and_changes_nothing(alices_browser, bobs_browser):
    alices_browser.post("/knowledge/", {"name": "Clinic"})
    page = bobs_browser.get("/knowledge/clinic/").content.decode()
    assert "Clinic" in page and "Delete this" not in page
    assert bobs_browser.post("/knowledge/clinic/delete/").status_code == 403
