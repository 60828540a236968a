"""A POST that is sent again with the same Idempotency-Key is done once, and answered as it was then."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import timedelta

from asgiref.sync import sync_to_async
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone

from mlservices.api.answers import Later, asker_of, refusal
from mlservices.secret_box import UnreadableSecret, opened, sealed

from ..models import Done
from .keys import API

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEPT_FOR = timedelta(hours=24)
LONGEST_KEY = 200
LARGEST_ANSWER = 2**20  # bytes; a longer one is not kept, and its key may be used again
_KEPT_HEADERS = ("Content-Type", "ETag", "Location", "Content-Disposition", "Cache-Control")


class Idempotency:
    """Middleware, the last of all. What was refused (4xx, 503) was not done: its key may be used again. Any
    other fault leaves open how much was done, so it is told again and not tried again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        key = request.headers.get(HEADER, "") if request.method == "POST" else ""
        if not key or not request.path.startswith(API) or not request.user.is_authenticated:
            return self._get_response(request)
        if len(key) > LONGEST_KEY or "\0" in key:
            return refusal(400, f"{HEADER}: use a text of at most {LONGEST_KEY} characters.")
        fields = {"asker": asker_of(request), "key": key}
        digest = _digest(request)
        Done.objects.filter(**fields, at__lt=timezone.now() - KEPT_FOR).delete()
        try:
            with transaction.atomic():
                done = Done.objects.create(**fields, digest=digest)
        except IntegrityError:
            return _again(Done.objects.filter(**fields).first(), digest)
        return self._answered(request, done)

    def _answered(self, request: HttpRequest, done: Done) -> HttpResponseBase:
        try:
            answer = self._get_response(request)
        except BaseException:
            _keep(done, HttpResponse(status=500))
            raise
        if isinstance(answer, Later):
            answer.afterwards(sync_to_async(lambda made: _keep(done, made)))
        else:
            _keep(done, answer)
        return answer


def forget_old() -> int:
    """For the hourly job."""
    return Done.objects.filter(at__lt=timezone.now() - KEPT_FOR).delete()[0]


def _digest(request: HttpRequest) -> str:
    """Of what is asked for. The parts of a form are marked off anew each time it is sent."""
    body = b"" if request.content_type == "multipart/form-data" else request.body
    return hashlib.sha256(request.get_full_path().encode() + b"\0" + body).hexdigest()


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
    if not was_done or not isinstance(answer, HttpResponse) or len(answer.content) > LARGEST_ANSWER:
        row.delete()
        return
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
