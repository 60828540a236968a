"""How a log line looks: its source named, the words of strangers kept inside it, no secret in it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import Any

from . import request_ids

SHORTEST_SECRET = 6  # characters; masking anything shorter would blot out ordinary words


class SafeFormatter(logging.Formatter):
    """Escapes control characters and puts *** for each of `secrets`, in messages and in tracebacks."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__("{asctime} {levelname:<7} {name}: {message}", datefmt="%H:%M:%S", style="{")
        self.secrets = sorted({s for s in secrets if len(s) >= SHORTEST_SECRET}, key=len, reverse=True)

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = record.message.translate(_ESCAPES)
        if request := request_ids.current():
            record.message += f" (request {request})"
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:
        """Its lines are told apart from those of the log: words of strangers may stand in it."""
        text = super().formatException(ei)
        return "\n".join(f"    {line.translate(_ESCAPES)}" for line in text.split("\n"))

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        for secret in self.secrets:
            line = line.replace(secret, "***")
        return _API_KEY.sub(r"\1***", line)


_API_KEY = re.compile(r"(vf_sk_[0-9a-f]{8})[0-9a-f]+")  # its beginning alone is no secret
_ESCAPES = {code: repr(chr(code))[1:-1] for code in (*range(32), *range(127, 160)) if chr(code) != "\t"}


_HEALTH = (": /health/", ": /api/health", ": /api/ready")


def is_no_health_answer(record: logging.LogRecord) -> bool:
    """Whether a record tells something new: that a part is missing these have said to whoever asked."""
    return not (record.name == "django.request" and record.getMessage().endswith(_HEALTH))


def config(*, level: str, secrets: Iterable[str]) -> dict[str, Any]:
    """Django's LOGGING."""
    quiet = {"level": "WARNING"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"news": {"()": "django.utils.log.CallbackFilter", "callback": is_no_health_answer}},
        "formatters": {"line": {"()": SafeFormatter, "secrets": list(secrets)}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["news"]}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handlers would write each line a second time.
            "django": {"handlers": [], "level": level, "propagate": True},
            # These write whole addresses and headers of requests at INFO.
            "httpx": quiet,
            "httpx2": quiet,  # of the hub's client, whose addresses are signed
            "httpcore": quiet,
            "twilio": quiet,
            "daphne": quiet,
            # Four lines for each job, and a check of the services is one a minute.
            "django-q": quiet,
            # A stranger's Host header is refused with a 400; a traceback for each would fill the disk.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
        },
    }
