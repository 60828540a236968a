"""A POST that is sent again with the same Idempotency-Key is done once, and answered as it was then: to who
may still ask for it."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import timedelta
from io import BytesIO
from typing import Any

from asgiref.sync import sync_to_async
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from rest_framework.authentication import CSRFCheck

from mlservices.api.answers import Later, Refused, asker_of, refusal
from mlservices.api.bodies import read_form
from mlservices.secret_box import UnreadableSecret, opened, sealed

from ..models import Done
from .keys import API

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEPT_FOR = timedelta(hours=24)
LONGEST_KEY = 200
LARGEST_ANSWER = 8 * 2**20  # bytes: almost three minutes of speech as WAV
_NOT_KEPT = (
    "The same request was done. Its answer was a stream, or too large, and was not kept: take a new key to "
    "have it made again."
)
_KEPT_HEADERS = ("Content-Type", "ETag", "Location", "Content-Disposition", "Cache-Control")


class Idempotency:
    """Middleware, the last of all, so that the gate is asked before anything is answered again. What was
    refused (4xx, 503) was not done: its key may be used again. Any other fault leaves open how much was done,
    so it is told again and not tried again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            answer = self._get_response(request)
        except BaseException:
            self._answered(request, HttpResponse(status=500))
            raise
        self._answered(request, answer)
        return answer

    def process_view(
        self, request: HttpRequest, view: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        key = request.headers.get(HEADER) if request.method == "POST" else None
        if key is None or not request.path.startswith(API) or not request.user.is_authenticated:
            return None
        if not 0 < len(key) <= LONGEST_KEY or "\0" in key:
            return refusal(400, f"{HEADER}: use a text of 1 to {LONGEST_KEY} characters.")
        try:
            digest = _digest(request)
        except Refused as error:
            return refusal(error.status, str(error), fields=error.fields)
        if _is_forged(request):
            return None  # the view refuses it itself
        fields = {"asker": asker_of(request), "key": key}
        Done.objects.filter(**fields, at__lt=timezone.now() - KEPT_FOR).delete()
        try:
            with transaction.atomic():
                request.done = Done.objects.create(**fields, digest=digest)  # type: ignore[attr-defined]
        except IntegrityError:
            return _again(Done.objects.filter(**fields).first(), digest)
        return None

    def _answered(self, request: HttpRequest, answer: HttpResponseBase) -> None:
        done: Done | None = getattr(request, "done", None)
        if done is None:
            return
        if isinstance(answer, Later):
            answer.afterwards(sync_to_async(lambda made: _keep(done, made)))
        else:
            _keep(done, answer)


def forget_old() -> int:
    """For the hourly job."""
    return Done.objects.filter(at__lt=timezone.now() - KEPT_FOR).delete()[0]


def _digest(request: HttpRequest) -> str:
    """Of what is asked for. Raises Refused for a form that cannot be read."""
    address = request.get_full_path()
    if request.content_type != "multipart/form-data":
        return hashlib.sha256(address.encode() + b"\0" + _body(request)).hexdigest()
    # Its parts are marked off anew each time it is sent
    read_form(request)
    files = [(name, *_of_file(file)) for name, sent in request.FILES.lists() for file in sent]
    asked = [address, list(request.POST.lists()), files]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _body(request: HttpRequest) -> bytes:
    """As `request.body`, which refuses a long recording; how large any may be, `Bodies` says."""
    request._body = request.read()  # where Django keeps it itself
    request._stream = BytesIO(request._body)
    return request._body


def _of_file(file: Any) -> tuple[str | None, str]:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return file.name, digest.hexdigest()


def _is_forged(request: HttpRequest) -> bool:
    """Whether another site's page may have sent it. REST's views look only when they are called."""
    return CSRFCheck(lambda _request: HttpResponse()).process_view(request, None, (), {}) is not None


def _again(done: Done | None, digest: str) -> HttpResponseBase:
    if done is None:  # it was refused in between
        return refusal(409, "The same request was just refused: send it again.")
    if done.digest != digest:
        return refusal(422, f"{HEADER}: it was used for another request: take a new one for each.")
    if done.status is None:
        return refusal(
            409, "The same request is being carried out, or was broken off: look before you repeat it."
        )
    try:
        body = _body_of(done)
    except UnreadableSecret:
        return refusal(409, "The same request was done; how it was answered cannot be read any more.")
    answer = HttpResponse(body, status=done.status)
    for name, value in done.headers.items():
        answer[name] = value
    answer[REPLAYED] = "true"
    return answer


def _keep(done: Done, answer: HttpResponseBase) -> None:
    row = Done.objects.filter(pk=done.pk)
    was_done = answer.status_code < 400 or (answer.status_code >= 500 and answer.status_code != 503)
    if not was_done:
        row.delete()
        return
    if not isinstance(answer, HttpResponse) or len(answer.content) > LARGEST_ANSWER:
        answer = refusal(409, _NOT_KEPT)  # of the next that asks the same
    headers = {name: answer[name] for name in _KEPT_HEADERS if name in answer}
    body = answer.content
    if _tells_once(headers):  # a new key, or a secret: at rest in no clearer form than it is elsewhere
        body = sealed(b64encode(body).decode()).encode()
    row.update(status=answer.status_code, headers=headers, body=body)


def _body_of(done: Done) -> bytes:
    """As it was answered. Raises UnreadableSecret."""
    body = bytes(done.body)
    return b64decode(opened(body.decode())) if _tells_once(done.headers) else body


def _tells_once(headers: Mapping[str, str]) -> bool:
    return "no-store" in headers.get("Cache-Control", "")
