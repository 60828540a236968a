"""What can go wrong between a caller's words and an engine."""

from __future__ import annotations

from collections.abc import Mapping


class EngineError(Exception):
    """An engine did not answer as asked.

    `permanent` tells whether asking again can help: a text in an unknown language stays so, a worker
    that died does not. `service` is the kind of engine that failed ("stt", "tts", "llm", "embed", "turn",
    "vad"), or "ml" where the whole service did; whose it is stands in the message. `status` is the HTTP
    status that a service answered with, 0 where there was none; `fields` is what it said of each field that
    it did not take.
    """

    status = 0
    fields: Mapping[str, str] = {}

    def __init__(self, message: str, *, service: str = "", permanent: bool = False) -> None:
        super().__init__(message)
        self.service = service
        self.permanent = permanent


class EngineBusy(EngineError):
    """The queue is full or nothing is ready yet; `retry_after` seconds from now is worth a try."""

    def __init__(self, message: str, *, service: str = "", retry_after: float = 1.0) -> None:
        super().__init__(message, service=service)
        self.retry_after = retry_after


class EngineTimeout(EngineError):
    """No answer within the deadline; the request was cancelled."""


class PrepareError(Exception):
    """A model's files could not be made ready; the message is one line with the remedy."""
