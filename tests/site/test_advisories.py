"""What `make audit` makes of pip-audit's answers."""

from __future__ import annotations

from tests.advisories import KNOWN, NOT_ASKED, judged

GOOD = {"name": "good", "version": "1", "vulns": []}
BAD = {"name": "bad", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}
MISSED = {"name": "missed", "skip_reason": "Dependency not found on PyPI"}


def test_an_advisory_fails_the_audit_whatever_else_was_missed() -> None:
    assert judged([GOOD, BAD, MISSED], silent=True) == (KNOWN, ["bad 2: PYSEC-1, mended in 2.1"])


def test_what_could_not_be_asked_is_never_called_clean() -> None:
    for answers, silent in (([GOOD, MISSED], False), ([GOOD], True), ([], False)):
        outcome, (line,) = judged(answers, silent)
        assert outcome == NOT_ASKED and line.startswith("NOT AUDITED")
    assert judged([GOOD], silent=False)[0] == 0
