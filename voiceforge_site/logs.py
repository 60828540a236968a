"""How a log line looks: its source named, the words of strangers kept inside it, no secret in it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from mlservices import about

from . import request_ids

SHORTEST_SECRET = 6  # characters; masking anything shorter would blot out ordinary words


class SafeFormatter(logging.Formatter):
    """Escapes control characters and puts *** for each of `secrets`, in messages and in tracebacks."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__("{asctime} {levelname:<7} {name}: {message}", datefmt="%H:%M:%S", style="{")
        self.secrets = sorted({s for s in secrets if len(s) >= SHORTEST_SECRET}, key=len, reverse=True)

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = record.message.translate(_ESCAPES)
        if named := [f"{what} {each}" for what, each in ids(record).items() if each not in record.message]:
            record.message += f" ({', '.join(named)})"
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:
        """Its lines are told apart from those of the log: words of strangers may stand in it."""
        text = super().formatException(ei)
        return "\n".join(f"    {line.translate(_ESCAPES)}" for line in text.split("\n"))

    def format(self, record: logging.LogRecord) -> str:
        return self.masked(super().format(record))

    def masked(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return _API_KEY.sub(r"\1***", text)


class JsonFormatter(SafeFormatter):
    """One JSON object a line: time, level, logger, message; request, call, key and exception where there are
    some."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self.masked(record.getMessage()),  # before it is escaped, which may hide a secret
            **ids(record),
        }
        if record.exc_info:
            told["exception"] = self.masked(logging.Formatter.formatException(self, record.exc_info))
        return json.dumps(told)


def ids(record: logging.LogRecord) -> dict[str, str]:
    """Of what goes on where a line is written, or of the request that the line is about: Django tells what it
    has refused once nothing goes on any more."""
    request = getattr(record, "request", None)
    found = {
        "request": request_ids.current() or getattr(request, "request_id", ""),
        "call": about.call(),
        "key": about.key() or getattr(request, "api_key", ""),
    }
    return {name: each for name, each in found.items() if each}


_API_KEY = re.compile(r"(vf_sk_[0-9a-f]{8})[0-9a-f]+")  # its beginning alone is no secret
_ESCAPES = {code: repr(chr(code))[1:-1] for code in (*range(32), *range(127, 160)) if chr(code) != "\t"}


_HEALTH = (": /health/", ": /api/health", ": /api/ready")


def is_no_health_answer(record: logging.LogRecord) -> bool:
    """Whether a record tells something new: that a part is missing these have said to whoever asked."""
    return not (record.name == "django.request" and record.getMessage().endswith(_HEALTH))


FORMS = {"text": SafeFormatter, "json": JsonFormatter}


def config(*, level: str, secrets: Iterable[str], form: str = "text") -> dict[str, Any]:
    """Django's LOGGING."""
    quiet = {"level": "WARNING"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"news": {"()": "django.utils.log.CallbackFilter", "callback": is_no_health_answer}},
        "formatters": {"line": {"()": FORMS[form], "secrets": list(secrets)}},
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
