"""What documents give."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.knowledge.passages import LONGEST, passages_of
from agents.knowledge.reading import Block, Unreadable, blocks_of, title_of

from .documents import CSV, HTML, MARKDOWN, docx, pdf


def test_a_pdf_gives_its_pages():
    blocks = blocks_of(pdf("We are by the harbour.", "", "A crown costs 900."))
    assert blocks == [Block("We are by the harbour.", page=1), Block("A crown costs 900.", page=3)]


def test_a_docx_gives_its_headings_and_tables():
    assert blocks_of(docx()) == [
        Block("You can park behind the building.", "Parking"),
        Block("A cleaning costs eighty dollars.", "Prices"),
        Block("Crown | 900 dollars", "Prices"),
    ]


def test_a_web_page_gives_what_it_is_about():
    expected = [Block("We are by the harbour .", "Clinic"), Block("Monday to Friday, eight to six.", "Hours")]
    assert blocks_of(HTML.encode(), "x.bin") == expected
    assert title_of(HTML.encode()) == "Our clinic"


def test_markdown_gives_its_headings_and_tables():
    told = [(block.text, block.heading) for block in blocks_of(MARKDOWN.encode(), "a.md")]
    assert told == [
        ("We are by the harbour .", "Clinic"),
        ("what", "Prices"),
        ("price", "Prices"),
        ("Crown", "Prices"),
        ("900", "Prices"),
    ]


@pytest.mark.parametrize(
    "content, name",
    [
        (CSV, "a.csv"),
        (CSV.replace(";", "\t"), "a.CSV"),
        ('Is there parking?,"Yes, behind the building."', "a.csv"),
        (json.dumps([{"question": "Is there parking?", "answer": "Yes, behind the building."}]), "a.json"),
    ],
)
def test_questions_have_their_answers(content, name):
    assert blocks_of(content.encode(), name)[0] == Block(
        "Is there parking?", answer="Yes, behind the building."
    )


def test_words_of_a_page_are_kept_wherever_they_stand():
    page = "<html><form><div>One <i>and</i> two<ul>Prices:<li>Crown</li></ul></div></form></html>"
    assert [block.text for block in blocks_of(page.encode())] == ["One and two", "Prices:", "Crown"]
    article = (
        "<body><header>Menu</header><article><header><h1>Parking</h1></header><p>Behind.</p></article></body>"
    )
    assert blocks_of(article.encode()) == [Block("Behind.", "Parking")]
    assert blocks_of(b"<p align=center>Logo</p>\n\n# Prices\n\nMany.", "a.md")[-1] == Block("Many.", "Prices")


def test_plain_text_gives_its_paragraphs_in_any_writing():
    assert blocks_of("Café\nat the harbour.\n\n\nOpen.".encode("cp1252")) == [
        Block("Café at the harbour."),
        Block("Open."),
    ]


def _bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("word/document.xml", b"0" * 201_000_000)
    return out.getvalue()


def _broken() -> bytes:
    content = bytearray(docx())
    content[400:1200] = b"\xff" * 800
    return bytes(content)


def _archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("a.txt", "x")
    return out.getvalue()


@pytest.mark.parametrize(
    "make, name, reason",
    [
        (lambda: b"", "a.txt", "The file is empty"),
        (lambda: b" \n ", "a.txt", "The file is empty"),
        (lambda: b"x" * 20_000_001, "a.txt", "20,000,000 are allowed"),
        (lambda: pdf("", ""), "a.pdf", "pictures of its pages"),
        (lambda: b"%PDF-1.4 nonsense", "a.pdf", "The PDF is damaged"),
        (_archive, "a.docx", "an archive and no DOCX"),
        (_bomb, "a.docx", "unpacks to more than 200 MB"),
        (lambda: b"PK\x03\x04 nonsense", "a.docx", "The DOCX is damaged"),
        (lambda: b"\x89PNG\0\0", "a.md", "This is no PDF"),
        (lambda: b"MZ\x90 text", "a.pdf", "This is no PDF"),
        (lambda: b"[1]", "a.json", "Entry 1 has to be an object"),
        (lambda: b"[" * 100_000, "a.json", "This is no JSON"),
        (lambda: b'[{"question": "x"}]', "a.json", "Entry 1 has no answer"),
        (lambda: b"one column\nonly", "a.csv", "Line 1 has one column"),
        (lambda: b"Is there parking?,Yes, behind it.", "a.csv", "Line 1 has 3 columns"),
        (lambda: b'a,"' + b"x" * 200_000 + b'"', "a.csv", "Line 1 cannot be read"),
        (lambda: b'{"question": "x", "answer": "y"}', "a.json", "has to be a list"),
        (lambda: _broken(), "a.docx", "The DOCX is damaged"),
        (lambda: b"<html><body><script>x</script></body></html>", "a.html", "no text in it"),
    ],
)
def test_what_cannot_be_read_says_why(make, name, reason):
    with pytest.raises(Unreadable, match=reason):
        blocks_of(make(), name)


def test_what_no_database_takes_is_left_out():
    content = json.dumps([{"question": "a\0b\ud800", "answer": "c\0"}]).encode()
    assert blocks_of(content, "a.json") == [Block("ab", answer="c")]


def test_passages_keep_to_their_heading_and_page():
    blocks = [Block("One.", "A"), Block("Two.", "A"), Block("Three.", "B"), Block("Four.", "B", 2)]
    assert [block.text for block in passages_of(blocks)] == ["One. Two.", "Three.", "Four."]
    pairs = [Block("q", answer="a"), Block("r", answer="b")]
    assert passages_of(pairs) == pairs


@given(st.lists(st.text(max_size=2_000).filter(str.strip), max_size=5))
def test_no_passage_is_too_long_and_no_word_is_lost(texts):
    blocks = [Block(" ".join(text.split())) for text in texts if text.split()]
    passages = passages_of(blocks)
    assert all(0 < len(passage.text) <= LONGEST for passage in passages)
    before = "".join("".join(block.text.split()) for block in blocks)
    assert "".join("".join(passage.text.split()) for passage in passages) == before
