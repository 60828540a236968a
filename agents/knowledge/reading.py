"""Documents -> blocks of text with heading and page. What a file is its content says, not its name."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from bs4 import BeautifulSoup, Tag
from bs4.element import PageElement
from markdown_it import MarkdownIt

LARGEST_BYTES = 20_000_000
MOST_PAGES = 2_000
_MOST_UNPACKED = 200_000_000  # bytes of a DOCX
_MOST_PAIRS = 5_000
_UNREAD = ("script", "style", "nav", "footer", "aside", "noscript", "template", "svg", "button", "select")
# Parts that words go on in; any other begins a block.
_INLINE = (
    *("a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins", "kbd"),
    *("label", "mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "u", "var"),
)
_DIVIDERS = ";\t,"
_HEADING = re.compile(r"h[1-6]")


class Unreadable(Exception):
    """Why a document gives no text, and what to do."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, or with `answer` a question that is answered."""

    text: str
    heading: str = ""
    page: int | None = None
    answer: str = ""


def blocks_of(content: bytes, name: str = "") -> list[Block]:
    """Raises Unreadable."""
    if not content.strip():
        raise Unreadable("The file is empty.")
    if len(content) > LARGEST_BYTES:
        raise Unreadable(f"The file has {len(content):,} bytes; {LARGEST_BYTES:,} are allowed. Divide it.")
    read = (_storable(block) for block in _blocks(content, name.lower()))
    blocks = [block for block in read if block.text.strip()]
    if not blocks:
        raise Unreadable("There is no text in it.")
    return blocks


def _blocks(content: bytes, name: str) -> Iterator[Block]:
    if content.startswith(b"%PDF"):
        yield from _of_pdf(content)
    elif content.startswith(b"PK"):
        yield from _of_docx(content)
    elif name.endswith((".pdf", ".docx")) or b"\0" in content[:1000]:
        raise Unreadable("This is no PDF, DOCX, Markdown, HTML or plain text.")
    elif name.endswith(".json"):
        yield from _told(_json_pairs(_decoded(content)))
    elif name.endswith(".csv"):
        yield from _told(_csv_pairs(_decoded(content)))
    else:
        text = _decoded(content)
        if name.endswith((".md", ".markdown")):
            yield from _of_html(MarkdownIt("commonmark").enable("table").render(text))
        elif re.search(r"<(!doctype html|html|body|p|div)\b", text[:2000], re.I):
            yield from _of_html(text)
        else:
            yield from (Block(" ".join(part.split())) for part in re.split(r"\n\s*\n", text))


def _storable(block: Block) -> Block:
    text, heading, answer = map(_cleaned, (block.text, block.heading, block.answer))
    return replace(block, text=text, heading=heading, answer=answer)


def _cleaned(text: str) -> str:
    """Without what no database takes: a NUL, half a letter."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _of_pdf(content: bytes) -> Iterator[Block]:
    from pypdf import PdfReader  # takes 0.3 s to import
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("The PDF is locked by a password. Save it without one.")
        if len(reader.pages) > MOST_PAGES:
            raise Unreadable(
                f"The PDF has {len(reader.pages):,} pages; {MOST_PAGES:,} are allowed. Divide it."
            )
        found = [
            Block(" ".join(part.split()), page=number)
            for number, page in enumerate(reader.pages, 1)
            for part in re.split(r"\n\s*\n", page.extract_text())
        ]
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise Unreadable(f"The PDF is damaged: {str(error)[:200] or type(error).__name__}.") from None
    if not any(block.text.strip() for block in found):
        raise Unreadable(
            "The PDF holds pictures of its pages and no text. Have its text recognised first (OCR)."
        )
    yield from found


def _of_docx(content: bytes) -> Iterator[Block]:
    from docx import Document

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if "word/document.xml" not in packed.namelist():
                raise Unreadable("This is an archive and no DOCX. Unpack it, and add the files in it.")
            if sum(each.file_size for each in packed.infolist()) > _MOST_UNPACKED:
                raise Unreadable("The DOCX is larger than it looks: it unpacks to more than 200 MB.")
        found = list(_of_parts(Document(io.BytesIO(content))))
    except (
        zipfile.BadZipFile,
        zlib.error,
        RuntimeError,
        LookupError,
        ValueError,
        OSError,
        SyntaxError,
    ) as error:
        raise Unreadable(f"The DOCX is damaged, or locked by a password: {str(error)[:200]}.") from None
    yield from found


def _of_parts(document: Any) -> Iterator[Block]:
    """Paragraphs and rows of tables in their order."""
    heading = ""
    for part in document.iter_inner_content():
        if not hasattr(part, "text"):
            for row in part.rows:
                yield Block(" | ".join(cell.text.strip() for cell in row.cells), heading)
            continue
        text = " ".join(part.text.split())
        if (part.style.name or "").startswith(("Heading", "Title")):
            heading = text
        else:
            yield Block(text, heading)


def _of_html(text: str) -> Iterator[Block]:
    """The words of each part that stands by itself, whatever it is made of."""
    page = BeautifulSoup(text, "html.parser")
    for unread in page(_UNREAD):
        unread.decompose()
    for header in page("header"):
        if not header.find_parent(("main", "article")):
            header.decompose()
    heading = ""
    body = page.find("main") or page.find("article") or page.body or page
    runs = groupby(body.find_all(string=True), key=_block_of)
    for block, run in runs:
        words = " ".join(" ".join(run).split())
        if _HEADING.fullmatch(block.name):
            heading = words
        elif words:
            yield Block(words, heading)


def _block_of(words: PageElement) -> Tag:
    """The part that words stand in, however they are marked."""
    return next(each for each in words.parents if each.name not in _INLINE)


def title_of(content: bytes) -> str:
    """Of a page of the web; "" where it has none."""
    title = BeautifulSoup(_decoded(content[:100_000]), "html.parser").title
    return " ".join(_cleaned(title.get_text()).split()) if title else ""


def _told(pairs: Iterator[tuple[str, str]]) -> Iterator[Block]:
    for number, (question, answer) in enumerate(pairs, 1):
        if number > _MOST_PAIRS:
            raise Unreadable(f"There are more than {_MOST_PAIRS:,} questions. Divide the file.")
        if not question or not answer:
            raise Unreadable(f"Entry {number} has no {'answer' if question else 'question'}.")
        yield Block(question, answer=answer)


def _json_pairs(text: str) -> Iterator[tuple[str, str]]:
    """[{"question": ..., "answer": ...}, ...]"""
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"This is no JSON: {str(error)[:200]}.") from None
    if not isinstance(rows, list):
        raise Unreadable("The JSON has to be a list of objects with “question” and “answer”.")
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise Unreadable(f"Entry {number} has to be an object with “question” and “answer”.")
        yield str(row.get("question") or "").strip(), str(row.get("answer") or "").strip()


def _csv_pairs(text: str) -> Iterator[tuple[str, str]]:
    """Lines of two columns, whichever of the usual signs divides them."""
    tables = [list(_rows(text, sign)) for sign in _DIVIDERS]
    table = next((each for each in tables if all(len(row) == 2 for _line, row in each)), tables[-1])
    for line, row in table:
        if len(row) < 2:
            raise Unreadable(f"Line {line} has one column: write the question, a comma, and the answer.")
        if len(row) > 2:
            raise Unreadable(
                f"Line {line} has {len(row)} columns: put an answer with commas into quotation marks."
            )
        if (line, row[0].lower()) != (1, "question"):
            yield row[0], row[1]


def _rows(text: str, sign: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text), delimiter=sign)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, [cell.strip() for cell in row]
    except csv.Error as error:
        raise Unreadable(f"Line {reader.line_num} cannot be read: {error}.") from None
