"""Files that are not what they say, sent to pages and API. `test_closed_code.py` sees to it that we know who
takes any; sound is in `tests/mlservices/api`."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from agents.knowledge.reading import LARGEST_BYTES as LARGEST_DOCUMENT
from agents.knowledge.reading import Unreadable, blocks_of
from agents.models import Flow, KnowledgeBase, Source
from tests.agents.knowledge.documents import docx, pdf
from tests.program import Program

NAME = '../../etc/x"\r\nX-Evil: 1\r\n<script>.json'
BAD_FLOWS = {
    "empty": b"",
    "too large": b"[" + b" " * 2_000_001,
    "a program": b"\x7fELF" + bytes(50),
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(50),
    "nested": b"[" * 100_000,
    "XML with an entity": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "half a letter": b'{"name": "\xff"}',
    "no flow": b"[1, 2]",
    "a number that is none": b'{"version": NaN}',
}


@pytest.fixture
def page(alices_browser: Client) -> Client:
    alices_browser.raise_request_exception = True
    return alices_browser


@pytest.mark.parametrize("content", BAD_FLOWS.values(), ids=BAD_FLOWS)
def test_a_file_that_is_no_flow_is_refused_in_words_by_page_and_api(
    content: bytes, page: Client, alices: Program
) -> None:
    def file() -> SimpleUploadedFile:
        return SimpleUploadedFile(NAME, content, content_type="application/json")

    told = page.post("/flows/import/", {"file": file()}, follow=True)
    assert told.status_code == 200 and "Not imported" in told.text
    assert alices.post("/api/agent-flows/import", {"file": file()}).status_code == 400
    assert not Flow.objects.exists()


def test_a_file_of_knowledge_that_is_too_large_is_kept_by_neither(page: Client, alices: Program) -> None:
    base = KnowledgeBase.objects.create(name="Clinic", slug="clinic")
    content = b"x" * (LARGEST_DOCUMENT + 1)
    page.post("/knowledge/clinic/add/", {"files": SimpleUploadedFile("a.txt", content)})
    sent = {"file": SimpleUploadedFile("a.txt", content)}
    assert alices.post("/api/knowledge/clinic/sources", sent).status_code == 400
    assert not Source.objects.filter(base=base).exists()


def test_a_files_name_is_a_name_and_no_path(page: Client) -> None:
    base = KnowledgeBase.objects.create(name="Clinic", slug="clinic")
    page.post("/knowledge/clinic/add/", {"files": SimpleUploadedFile("../../etc/passwd", b"Open at nine.")})
    (source,) = Source.objects.filter(base=base)
    assert source.name == "passwd" and not getattr(source, "file", None)


def _document(body: bytes, **more: bytes) -> bytes:
    """A DOCX with another body, and with parts beside it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(docx())) as whole, zipfile.ZipFile(out, "w") as packed:
        for each in whole.namelist():
            packed.writestr(each, body if each == "word/document.xml" else whole.read(each))
        for name, content in more.items():
            packed.writestr(name, content)
    return out.getvalue()


WORD = b'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def _body(doctype: bytes) -> bytes:
    return b"<?xml version='1.0'?>%s<w:document %s><w:body><w:p><w:r><w:t>Open. &e;</w:t></w:r></w:p></w:body></w:document>" % (doctype, WORD)  # fmt: skip # noqa: E501


def _laughs() -> bytes:
    levels = b"".join(b'<!ENTITY %s "%s">' % (name, b"&%s;" % before * 10) for before, name in zip(
        (b"a", b"b", b"c", b"d", b"f", b"g", b"h"), (b"b", b"c", b"d", b"f", b"g", b"h", b"e"), strict=True
    ))  # fmt: skip
    return _body(b'<!DOCTYPE x [<!ENTITY a "haha">%s]>' % levels)


DOCUMENTS: dict[str, Callable[[Any], bytes]] = {
    "an entity of a file": lambda secret: _document(
        _body(b'<!DOCTYPE x [<!ENTITY e SYSTEM "%s">]>' % secret.as_uri().encode())
    ),
    "entities of entities": lambda secret: _document(_laughs()),
    "a part with a path": lambda secret: _document(
        _body(b"").replace(b"&e;", b""), **{"../../planted.txt": b"planted words of the file"}
    ),
    "a PDF that is an archive too": lambda secret: pdf("Open.") + docx(),
    "a page with an entity": lambda secret: (
        b'<!DOCTYPE html [<!ENTITY e SYSTEM "%s">]><html><p>Open. &e;' % secret.as_uri().encode()
    ),
    "a picture of lines that reads a file": lambda secret: (
        b'<html><p>Open.</p><svg><image href="%s"/></svg>' % secret.as_uri().encode()
    ),
}


@pytest.mark.parametrize("make", DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_document_brings_in_nothing_but_its_own_words(make: Callable[[Any], bytes], tmp_path: Any) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("planted words of the file")
    before = sorted(tmp_path.parent.rglob("planted.txt"))
    try:
        told = json.dumps([block.text for block in blocks_of(make(secret), "a.docx")])
    except Unreadable:
        told = ""
    assert "planted words" not in told and "haha" not in told and len(told) < 1_000
    assert sorted(tmp_path.parent.rglob("planted.txt")) == before
