"""What can go wrong between a caller's words and an engine."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Outcome(StrEnum):
    """How a request to an engine went wrong: what pages, events and figures tell apart."""

    FAILED = "failed"  # the engine says so, or no more is known
    BUSY = "busy"  # too many requests wait there already
    WAKING = "waking"  # 503: the service sleeps, or is being started
    GATEWAY_TIMEOUT = "gateway_timeout"  # 504: its front waited in vain for it
    NOT_LOADED = "not_loaded"  # 500: it is awake, its model is not
    TIMEOUT = "timeout"  # no answer began in time
    SLOW_BODY = "slow_body"  # an answer began, and did not end in time
    CUT_SHORT = "cut_short"  # less came than was promised
    UNREACHABLE = "unreachable"
    REDIRECTED = "redirected"
    NOT_OFFERED = "not_offered"  # 404: it has no such call
    REFUSED_TOKEN = "refused_token"  # 401 and 403
    REFUSED = "refused"  # what it was asked it will never do: the input is at fault
    HTML_PAGE = "html_page"
    NOT_JSON = "not_json"
    WRONG_FIELDS = "wrong_fields"  # JSON without what was promised, or with nonsense in it
    WRONG_SOUND = "wrong_sound"


COLD = frozenset({Outcome.WAKING, Outcome.GATEWAY_TIMEOUT, Outcome.NOT_LOADED})


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

    def __init__(
        self,
        message: str,
        *,
        service: str = "",
        permanent: bool = False,
        outcome: Outcome = Outcome.FAILED,
    ) -> None:
        super().__init__(message)
        self.service = service
        self.permanent = permanent
        self.outcome = outcome

    @property
    def cold(self) -> bool:
        """The service is waking up: it will answer, in a minute or two."""
        return self.outcome in COLD

    @property
    def blames_input(self) -> bool:
        """What was asked is at fault, so that no other engine is worth asking."""
        return self.outcome is Outcome.REFUSED


class EngineBusy(EngineError):
    """The queue is full or nothing is ready yet; `retry_after` seconds from now is worth a try."""

    def __init__(
        self,
        message: str,
        *,
        service: str = "",
        retry_after: float = 1.0,
        outcome: Outcome = Outcome.BUSY,
    ) -> None:
        super().__init__(message, service=service, outcome=outcome)
        self.retry_after = retry_after


class EngineTimeout(EngineError):
    """No answer within the deadline; the request was cancelled."""

    def __init__(
        self,
        message: str,
        *,
        service: str = "",
        permanent: bool = False,
        outcome: Outcome = Outcome.TIMEOUT,
    ) -> None:
        super().__init__(message, service=service, permanent=permanent, outcome=outcome)


class PrepareError(Exception):
    """A model's files could not be made ready; the message is one line with the remedy."""
