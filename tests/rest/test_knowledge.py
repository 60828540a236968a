from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from agents.flows.actions import create_flow
from agents.knowledge import tasks
from agents.knowledge.actions import create_base
from agents.models import KnowledgeBase, Source
from tests.agents.fakes import WordEmbedder
from tests.agents.knowledge.documents import docx
from tests.agents.knowledge.test_knowledge import PARKING, TALK

BASES = "/api/knowledge"
SOURCES = f"{BASES}/clinic/sources"
PAIRS = {"name": "FAQ", "pairs": [{"question": question, "answer": answer} for question, answer in PARKING]}


@pytest.fixture
def worker(transactional_db, monkeypatch):
    """Reads at once, by words instead of meaning."""
    monkeypatch.setattr("mlservices.registry.embedder", WordEmbedder)
    monkeypatch.setattr("agents.knowledge.actions.async_task", lambda name, pk: tasks.read_source(pk))


def test_a_base_is_made_filled_asked_and_deleted(alices, bobs, worker):
    made = alices.send("POST", BASES, {"name": "Clinic"})
    assert (made.status_code, made.json()["id"], made.json()["passages"]) == (201, "clinic", 0)
    pairs = alices.send("POST", SOURCES, PAIRS)
    assert (pairs.status_code, pairs.json()["kind"], pairs.json()["by"]) == (201, "pairs", "alice")
    file = alices.post(SOURCES, {"file": SimpleUploadedFile("Clinic.docx", docx())})
    assert (file.status_code, file.json()["name"]) == (201, "Clinic.docx")
    rows = alices.get(SOURCES).json()["results"]
    assert [(each["name"], each["state"], each["done"]) for each in rows] == [
        ("FAQ", "ready", 2),
        ("Clinic.docx", "ready", 2),
    ]
    base = alices.get(f"{BASES}/clinic").json()
    assert (base["sources"], base["passages"]) == (2, 4)
    asked = bobs.send("POST", f"{BASES}/clinic/ask", {"question": "Is there parking?"}).json()
    assert (asked["results"][0]["answer"], asked["results"][0]["source"]) == (PARKING[0][1], "FAQ")
    source = f"{SOURCES}/{rows[0]['id']}"
    assert alices.send("POST", f"{source}/read").json()["id"] == rows[0]["id"]
    assert alices.send("DELETE", source).status_code == 204
    assert alices.get(source).status_code == 404
    assert alices.send("DELETE", f"{BASES}/clinic").status_code == 204
    assert not KnowledgeBase.objects.exists() and not Source.objects.exists()


def test_a_page_is_read_from_where_it_stands(alices, worker, other):
    other.answer("/prices", b"<html><title>Prices</title><p>A check costs ten.</p>", Content_Type="text/html")
    create_base(name="Clinic")
    made = alices.send("POST", SOURCES, {"address": f"{other.url}/prices"}).json()
    told = alices.get(f"{SOURCES}/{made['id']}").json()
    assert (told["kind"], told["name"], told["state"]) == ("page", "Prices", "ready")


def test_what_cannot_be_read_says_why(alices, worker):
    create_base(name="Clinic")
    made = alices.post(SOURCES, {"file": SimpleUploadedFile("a.pdf", b"%PDF-1.4 broken")}).json()
    told = alices.get(f"{SOURCES}/{made['id']}").json()
    assert (told["state"], "damaged" in told["reason"]) == ("failed", True)


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "address"),
        ({**PAIRS, "address": "https://x.test"}, "address"),
        ({"address": "ftp://x/"}, "address"),
        ({"address": "https://xn--a/"}, "address"),
        ({"address": 5}, "address"),
        ({"pairs": []}, "pairs"),
        ({"pairs": [{"question": "Why?"}]}, "pairs.0.answer"),
        ({"pairs": [{"question": "Why?", "answer": 5}]}, "pairs.0.answer"),
        ({"pairs": "x"}, "pairs"),
        ({"address": "https://x.test", "file": "x"}, "file"),
    ],
    ids=str,
)
def test_what_is_added_wrongly_is_told_by_field(alices, sent, field):
    create_base(name="Clinic")
    refused = alices.send("POST", SOURCES, sent)
    assert (refused.status_code, list(refused.json().get("fields", {}))) == (400, [field]), refused.text
    assert not Source.objects.exists()


def test_a_form_without_a_file_is_refused(alices):
    create_base(name="Clinic")
    assert list(alices.post(SOURCES, {"name": "x"}).json()["fields"]) == ["file"]
    assert list(alices.send("POST", f"{BASES}/clinic/ask", {"question": ""}).json()["fields"]) == ["question"]
    assert list(alices.send("POST", BASES, {"name": " "}).json()["fields"]) == ["name"]


def test_one_that_a_flow_uses_is_kept(alices):
    create_base(name="Clinic")
    create_flow(graph=TALK, name="Talk", by="alice")
    refused = alices.send("DELETE", f"{BASES}/clinic")
    assert (refused.status_code, refused.json()["detail"]) == (409, "Take it from these flows first: Talk.")


def test_a_source_is_found_in_its_own_base_alone(alices, worker):
    create_base(name="Clinic")
    create_base(name="Other")
    source = alices.send("POST", SOURCES, PAIRS).json()["id"]
    assert alices.get(f"{BASES}/other/sources/{source}").status_code == 404
    assert alices.send("DELETE", f"{BASES}/other/sources/{source}").status_code == 404
    assert alices.get(f"{BASES}/nothing/sources").status_code == 404


def test_a_list_of_many_asks_the_database_as_often_as_one_of_few(alices, django_assert_num_queries):
    for number in range(30):
        create_base(name=f"Base {number}")
    alices.get(BASES)
    with django_assert_num_queries(2):  # who asks, and the page
        assert len(alices.get(BASES).json()["results"]) == 30
    assert [each["name"] for each in alices.get(f"{BASES}?search=29").json()["results"]] == ["Base 29"]


def test_who_may_only_look_or_try_changes_nothing(alices, bobs, program, charlie):
    create_base(name="Clinic")
    assert bobs.get(f"{BASES}/clinic").status_code == 200
    assert bobs.send("POST", BASES, {"name": "x"}).status_code == 403
    assert bobs.send("DELETE", f"{BASES}/clinic").status_code == 403
    assert bobs.send("POST", SOURCES, PAIRS).status_code == 403
    assert program(charlie).get(BASES).status_code == 403
