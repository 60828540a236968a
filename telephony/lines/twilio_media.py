"""Files that Twilio keeps: asked with the account's key, and never larger or slower than we bear."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
from django.utils.translation import gettext as _

from mlservices.whole_numbers import whole_number

from .accounts import SECONDS, ProviderError
from .twilio_errors import words_for

LARGEST = 512 * 2**20  # bytes: more than four hours of two sides at 8 kHz
PATIENCE_SECONDS = 300.0  # for all of it
CHUNK = 256 * 1024
MOST_MOVES = 3
# Where Twilio has its files, if not at its own interface.
_KEEPERS = (".twilio.com", ".amazonaws.com")


def download(url: str, to: Path, *, auth: tuple[str, str]) -> None:
    """Raises ProviderError, and requests' own where it breaks off."""
    own = urlsplit(url)[:2]
    deadline = time.monotonic() + PATIENCE_SECONDS
    for _move in range(MOST_MOVES + 1):
        with requests.get(
            url,
            auth=auth if urlsplit(url)[:2] == own else None,  # the key is Twilio's interface's alone
            stream=True,
            timeout=(SECONDS, 30.0),
            allow_redirects=False,
            headers={"Accept-Encoding": "identity"},
        ) as answer:
            if not answer.is_redirect:
                _must_be_there(answer)
                _write(answer, to, deadline)
                return
            url = urljoin(url, answer.headers["Location"])
            _must_be_twilios(url, own)
    raise ProviderError(_("Twilio's recording was moved too often."))


def _must_be_twilios(url: str, own: tuple[str, str]) -> None:
    there = urlsplit(url)
    kept_by_twilio = there.scheme == "https" and (there.hostname or "").endswith(_KEEPERS)
    if there[:2] != own and not kept_by_twilio:
        raise ProviderError(_("The recording's address leads to somebody who is not Twilio."))


def _must_be_there(answer: requests.Response) -> None:
    status = answer.status_code
    if status == requests.codes.ok:
        return
    if status in (401, 403):
        raise ProviderError(words_for(20003, ""), code="20003")
    if status == requests.codes.not_found:
        raise ProviderError(_("Twilio has no such recording, or not yet."), code="20404", gone=True)
    raise ProviderError(
        _("Twilio did not give the recording (HTTP %(status)d).") % {"status": status}, may_help=True
    )


def _write(answer: requests.Response, to: Path, deadline: float) -> None:
    written = 0
    with to.open("wb") as file:
        for chunk in answer.iter_content(CHUNK):
            written += len(chunk)
            if written > LARGEST:
                raise ProviderError(_("The recording is larger than %(size)d MB.") % {"size": LARGEST >> 20})
            if time.monotonic() > deadline:
                raise ProviderError(_("The recording came too slowly."), may_help=True)
            file.write(chunk)
    told = whole_number(answer.headers.get("Content-Length", ""))
    if told is not None and written < told:
        raise ProviderError(_("The recording did not come whole."), may_help=True)
