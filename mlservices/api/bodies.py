"""What a request sends: JSON, or a form with a sound file, within bounds that hold while it is read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pybase64
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError

from .. import audio
from ..service.body_limit import BodyLimit
from . import sound
from .answers import Refused, invalid
from .forms import AnyForm, HearForm, checked

LARGEST_SOUND = 25 * 2**20  # bytes
LONGEST_SECONDS = 600.0
LARGEST_UPLOAD = 35 * 2**20  # bytes of the files that a page sends, which are 20 MB each at most
LARGEST_PAGE = 4 * 2**20  # bytes of any other form: Django itself reads 2.5 MB of it
_ROUND_ABOUT = 64 * 2**10  # bytes of a request beside its sound
_JSON, _FORM = "application/json", "multipart/form-data"


class Bodies:
    """ASGI middleware: 413 for a request that is too large, before it is read to its end: what comes is kept
    on disk until then, before anybody is asked who they are. `refused` makes the answer of why."""

    def __init__(self, app: Any, refused: Callable[[str], Any]) -> None:
        self._api_form = BodyLimit(app, LARGEST_SOUND + _ROUND_ABOUT, refused)
        self._api = BodyLimit(app, LARGEST_SOUND * 4 // 3 + _ROUND_ABOUT, refused)
        self._upload = BodyLimit(app, LARGEST_UPLOAD, refused)
        self._page = BodyLimit(app, LARGEST_PAGE, refused)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        is_form = dict(scope["headers"]).get(b"content-type", b"").lower().startswith(_FORM.encode())
        if scope["path"].startswith("/api/"):
            await (self._api_form if is_form else self._api)(scope, receive, send)
        else:
            await (self._upload if is_form else self._page)(scope, receive, send)


async def json_body(request: HttpRequest) -> dict[str, Any]:
    """415 for what is no JSON by its type, 400 for what is none by its content."""
    if request.content_type != _JSON:
        raise Refused(415, f"Content-Type: send {_JSON}.")
    try:
        body = await asyncio.to_thread(lambda: orjson.loads(request.read()))
    except orjson.JSONDecodeError as error:
        raise invalid(body=f"no JSON: {error}") from None
    if not isinstance(body, dict):
        raise invalid(body="not an object")
    return body


async def heard(
    request: HttpRequest, kind: type[AnyForm], defaults: dict[str, Any] | None = None
) -> tuple[AnyForm, bytes]:
    """The fields, and the sound as pcm at `sound.HEARD_RATE`, of a form or of a Space's JSON, whose fields
    have `defaults` of their own."""
    if request.content_type == _JSON:
        body = await json_body(request)
        form = checked(kind, {**(defaults or {}), **body})
        if not isinstance(encoded := body.get("audio_base64"), str):
            raise invalid(audio_base64="missing: base64 of a sound file, or of raw PCM")
        return form, await asyncio.to_thread(_of_base64, encoded, form)
    if request.content_type != _FORM:
        raise Refused(415, f"Content-Type: send {_FORM} with a file `audio`, or {_JSON}.")
    fields, file = await asyncio.to_thread(_form_of, request)
    form = checked(kind, fields)
    if file is None:
        raise invalid(audio="missing: send a sound file")
    return form, await asyncio.to_thread(_of_file, file, form)


def _form_of(request: HttpRequest) -> tuple[dict[str, Any], UploadedFile | None]:
    read_form(request)
    return request.POST.dict(), request.FILES.get("audio")


def read_form(request: HttpRequest) -> None:
    """Its parts, which `request.POST` and `request.FILES` have from then on. Raises Refused."""
    try:
        request.POST  # noqa: B018  # it is read when it is first asked for
    except (MultiPartParserError, SuspiciousOperation) as error:
        if isinstance(error, RequestDataTooBig):
            raise Refused(413, "The fields of the form are too large.", {"body": str(error)}) from None
        raise invalid(body=str(error)) from None


def _of_file(file: UploadedFile, form: Any) -> bytes:
    if (file.size or 0) > LARGEST_SOUND:
        raise _too_large()
    raw = isinstance(form, HearForm) and form.format == "pcm"
    return _sound("audio", file.read(), form.rate if raw else None)


def _of_base64(encoded: str, form: Any) -> bytes:
    try:
        data = pybase64.b64decode(encoded, validate=True)
    except ValueError:
        raise invalid(audio_base64="not valid base64") from None
    if len(data) > LARGEST_SOUND:
        raise _too_large()
    return _sound("audio_base64", data, None if audio.file_kind(data) else form.rate)


def _sound(field: str, data: bytes, pcm_rate: int | None) -> bytes:
    try:
        return sound.heard(data, longest_seconds=LONGEST_SECONDS, pcm_rate=pcm_rate)
    except audio.TooLong as error:
        raise Refused(413, f"The sound is {error}.", {field: str(error)}) from None
    except ValueError as error:
        raise invalid(**{field: str(error)}) from None


def _too_large() -> Refused:
    return Refused(413, f"The sound is larger than {LARGEST_SOUND // 2**20} MB.")
