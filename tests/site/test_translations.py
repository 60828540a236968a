"""Every text can be translated; what is translated is whole, and compiled as it stands.

`make messages` gathers the texts and compiles the catalogues. Both files of a language are committed, so
that a machine without gettext has them.
"""

from __future__ import annotations

import gettext
from pathlib import Path

import pytest
from django.conf import settings

from tests.site.catalogue import Entry, compiled, faults, read_po, untranslatable, used

LANGUAGES = sorted((settings.BASE_DIR / "voiceforge_site" / "locale").glob("*/LC_MESSAGES"))
PO = """
msgid ""
msgstr "Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Sign in"
msgstr ""
"An"
"melden"

#, fuzzy
msgid "Save"
msgstr "Sichern"

msgctxt "a time"
msgid "%(count)d call"
msgid_plural "%(count)d calls"
msgstr[0] "%(count)d Anruf"
msgstr[1] "%(count)d Anrufe"

#~ msgid "Gone"
#~ msgstr "Fort"
"""


def of(*entries: Entry) -> dict[tuple[str, str], Entry]:
    return {entry.key: entry for entry in entries}


def test_no_template_has_words_of_its_own() -> None:
    found = {
        str(path.relative_to(settings.BASE_DIR)): words
        for path in (settings.BASE_DIR / "templates").rglob("*.html")
        if (words := untranslatable(path))
    }
    assert not found


def test_words_of_its_own_are_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        '{% translate "Sign in" %}<b title="Go on" class="vf-btn">{{ name }}</b>Ask again <kbd>Esc</kbd>'
    )
    assert untranslatable(page) == ["Go on", "Ask again"]


def test_strings_are_found_in_python_and_in_templates() -> None:
    strings = used()
    assert ("", "Nothing was lost. Wait a minute, then try again.") in strings  # a constant of errors.py
    assert ("", "Keyboard shortcuts") in strings  # both
    assert strings[("", "%(count)s selected")].plural == "%(count)s selected"  # blocktranslate
    assert strings[("", "%(count)s call failed since yesterday")].plural
    assert ("a time, as Django's date filter takes it", "j M Y, H:i:s") in strings


def test_what_a_catalogue_lacks_is_told() -> None:
    known = read_po(PO)
    assert faults(of(Entry("Sign in"), Entry("%(count)d call", "%(count)d calls", "a time")), known) == []
    assert faults(of(Entry("Gone")), known) == ["not translated: 'Gone'"]
    assert faults(of(Entry("Save")), known) == ["fuzzy: 'Save'"]
    known[("", "Hello {name}")] = Entry("Hello {name}", texts=["Hallo {nom}"])
    assert faults(of(Entry("Hello {name}")), known) == ["other placeholders: 'Hello {name}'"]


def test_a_compiled_catalogue_holds_what_is_sure() -> None:
    assert compiled(read_po(PO)) == {
        "Sign in": "Anmelden",
        ("a time\x04%(count)d call", 0): "%(count)d Anruf",
        ("a time\x04%(count)d call", 1): "%(count)d Anrufe",
    }


@pytest.mark.parametrize("folder", LANGUAGES, ids=lambda folder: folder.parent.name)
def test_a_language_has_every_text(folder: Path) -> None:
    found = faults(used(), read_po((folder / "django.po").read_text()))
    assert not found, "\n".join([*found, "Run make messages, and translate these."])


@pytest.mark.parametrize("folder", LANGUAGES, ids=lambda folder: folder.parent.name)
def test_what_is_served_is_what_was_translated(folder: Path) -> None:
    with (folder / "django.mo").open("rb") as file:
        served = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    del served[""]
    assert served == compiled(read_po((folder / "django.po").read_text())), "Run make messages."
