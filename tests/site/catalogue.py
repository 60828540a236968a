"""The strings of the pages, and what a catalogue has for them, read without gettext's programs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.utils.translation.template import templatize

APPS = ("agents", "mlservices", "telephony", "voiceforge_site")
# Name of the function: which of its arguments are the context, the text, its plural.
_CALLS = {
    "_": (None, 0, None),
    "gettext": (None, 0, None),
    "gettext_lazy": (None, 0, None),
    "gettext_noop": (None, 0, None),
    "pgettext": (0, 1, None),
    "pgettext_lazy": (0, 1, None),
    "ngettext": (None, 0, 1),
    "ngettext_lazy": (None, 0, 1),
    "npgettext": (0, 1, 2),
}
_STRING = r"""u?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_IN_TEMPLATE = re.compile(
    rf"\b(_|n?p?gettext(?:_noop)?)\(\s*{_STRING}(?:\s*,\s*{_STRING})?(?:\s*,\s*{_STRING})?", re.S
)


@dataclass
class Entry:
    """`texts` are the translations: one, or one for each plural form."""

    text: str
    plural: str = ""
    context: str = ""
    texts: list[str] = field(default_factory=list)
    fuzzy: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return self.context, self.text


def used() -> dict[tuple[str, str], Entry]:
    """Every string that the programme or its templates hand to gettext."""
    found = [*_in_python(), *_in_templates()]
    plurals = {entry.key: entry for entry in found if entry.plural}
    return {entry.key: entry for entry in found} | plurals


def _in_python() -> Iterator[Entry]:
    for path in (path for app in APPS for path in (settings.BASE_DIR / app).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            texts = [each.value if isinstance(each, ast.Constant) else None for each in node.args]
            if name in _CALLS and texts and isinstance(texts[_CALLS[name][1]], str):
                yield _entry(name, texts)  # type: ignore[arg-type]


def _in_templates() -> Iterator[Entry]:
    for path in (settings.BASE_DIR / "templates").rglob("*.html"):
        for call in _IN_TEMPLATE.finditer(templatize(path.read_text(), origin=str(path))):
            texts = [ast.literal_eval(text) for text in call.groups()[1:] if text]
            yield _entry(call[1], texts)


def _entry(name: str, texts: list[str]) -> Entry:
    context, text, plural = _CALLS[name.removesuffix("_noop")]
    return Entry(
        texts[text],
        plural="" if plural is None else texts[plural],
        context="" if context is None else texts[context],
    )


def read_po(text: str) -> dict[tuple[str, str], Entry]:
    """The entries of a .po file with its head under ("", ""); those that are commented out are not there."""
    entries = {}
    for block in re.split(r"\n\s*\n", text):
        parts: dict[str, str] = {}
        last = ""
        for line in block.splitlines():
            if named := re.match(r'(msg\w+(?:\[\d+\])?) (".*")$', line):
                last = named[1]
                parts[last] = ast.literal_eval(named[2])
            elif line.startswith('"'):
                parts[last] += ast.literal_eval(line)
        if "msgid" in parts:
            texts = [parts[name] for name in sorted(parts) if name.startswith("msgstr")]
            fuzzy = bool(re.search(r"^#,.*\bfuzzy\b", block, re.M))
            entry = Entry(
                parts["msgid"], parts.get("msgid_plural", ""), parts.get("msgctxt", ""), texts, fuzzy
            )
            entries[entry.key] = entry
    return entries


def faults(wanted: dict[tuple[str, str], Entry], catalogue: dict[tuple[str, str], Entry]) -> list[str]:
    """What is missing, doubtful, or has lost one of its placeholders."""
    forms = int((re.search(r"nplurals=(\d)", catalogue[("", "")].texts[0]) or ["", "1"])[1])
    found = []
    for key, entry in wanted.items():
        known = catalogue.get(key)
        if known is None or not all(known.texts):
            found.append(f"not translated: {entry.text!r}")
        elif known.fuzzy:
            found.append(f"fuzzy: {entry.text!r}")
        elif entry.plural and len(known.texts) != forms:
            found.append(f"not all plural forms: {entry.text!r}")
        elif any(_places(text) - (_places(entry.text) | _places(entry.plural)) for text in known.texts) or (
            _places(entry.plural or entry.text) - _places(known.texts[-1])
        ):
            found.append(f"other placeholders: {entry.text!r}")
    return found


def _places(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)[sd]|\{\w*\}", text))


def compiled(catalogue: dict[tuple[str, str], Entry]) -> dict[str | tuple[str, int], str]:
    """As Python's gettext holds a .mo file that was made of it; without the head, which msgfmt cuts."""
    made: dict[str | tuple[str, int], str] = {}
    for entry in catalogue.values():
        if not entry.text or not any(entry.texts) or entry.fuzzy:
            continue
        text = f"{entry.context}\x04{entry.text}" if entry.context else entry.text
        if entry.plural:
            made |= {(text, form): words for form, words in enumerate(entry.texts)}
        else:
            made[text] = entry.texts[0]
    return made


def untranslatable(path: Path) -> list[str]:
    """Words of a template that stand there as they are."""
    text = re.sub(
        r"\{#.*?#\}|\{% blocktranslate.*?\{% endblocktranslate %\}", "", path.read_text(), flags=re.S
    )
    text = re.sub(r"\{% block (page_class|title|call_attributes) %\}.*?\{% endblock %\}", "", text)
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", text, flags=re.S)
    said = r'\s(?:title|aria-label|placeholder|alt|data-(?:text|one|other|confirm[\w-]*))="([^"]*)"'
    words = re.findall(said, text)
    text = re.sub(r"<(script|style|kbd|code)\b.*?</\1>", "", text, flags=re.S)
    words += re.sub(r"<[^>]*>", "|", text, flags=re.S).split("|")
    names = re.compile(r"VoiceForge|\b(?:WAV|TXT|CSV|JSON)\b")  # the same in every language
    return [word.strip() for word in words if re.search(r"[^\W\d_]{2,}", names.sub("", word))]
