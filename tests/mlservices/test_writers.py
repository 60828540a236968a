from __future__ import annotations

import threading

import pytest

from mlservices.writers import Writer


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_written_ends_no_writer(caplog: pytest.LogCaptureFixture) -> None:
    written, twice = [], threading.Event()

    class Notes(Writer):
        def write(self) -> None:
            written.append(True)
            if len(written) > 1:
                twice.set()
            raise ValueError

    notes = Notes("notes", 0.01)
    notes.open()
    assert twice.wait(5)
    notes.close()
    assert not notes.is_open and "notes could not be written" in caplog.text
