"""How much an API key may ask for: so many requests in each minute of the clock, counted in the cache that
all processes share."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import caches
from django.http import HttpResponseBase
from redis.exceptions import RedisError

from mlservices.api.answers import RETRY_SECONDS, refusal

from ..metrics.instruments import key_refusals

logger = logging.getLogger(__name__)

CACHE = "rates"
_WINDOW_SECONDS = 60


class Uncounted(Exception):
    """What counts requests cannot be reached."""

    def refusal(self) -> HttpResponseBase:
        words = "Requests cannot be counted just now: an administrator sees why in the server's log."
        return refusal(503, words, retry_after=RETRY_SECONDS)


@dataclass(frozen=True, slots=True)
class Rate:
    """Of one key, with the request that was just counted. `reset` is in seconds of the wall clock."""

    limit: int
    count: int
    reset: int

    def told(self, answer: HttpResponseBase) -> HttpResponseBase:
        answer["X-RateLimit-Limit"] = str(self.limit)
        answer["X-RateLimit-Remaining"] = str(max(0, self.limit - self.count))
        answer["X-RateLimit-Reset"] = str(self.reset)
        return answer

    def refusal(self) -> HttpResponseBase | None:
        """429 for what is beyond the limit."""
        return refusal(429, why, retry_after=self._after) if (why := self.why_not()) else None

    def why_not(self) -> str:
        """Of what is beyond the limit, in words."""
        if self.count <= self.limit:
            return ""
        key_refusals.labels("rate").inc()
        return f"This API key may send {self.limit} requests a minute: wait {self._after} s."

    @property
    def _after(self) -> int:
        return max(1, round(self.reset - time.time()))


def limit_of(own_limit: int | None) -> int:
    """Requests a minute of a key that has this limit itself; 0 where there is none for all either."""
    return own_limit or settings.API_REQUESTS_A_MINUTE


def counted(key: str, own_limit: int | None = None) -> Rate | None:
    """One request more of this key, known by its id; None where no limit is set, by itself or for all.
    Raises Uncounted."""
    limit = limit_of(own_limit)
    if not limit:
        return None
    window = int(time.time()) // _WINDOW_SECONDS
    name = f"{key}:{window}"
    try:
        caches[CACHE].add(name, 0, 2 * _WINDOW_SECONDS)
        count = caches[CACHE].incr(name)
    except ValueError:  # it was dropped in between
        count = 1
    except (RedisError, OSError) as error:  # OSError: the disk is full, where there is no Redis
        logger.error("Requests of API keys cannot be counted: %s", error)
        raise Uncounted from None
    return Rate(limit, count, (window + 1) * _WINDOW_SECONDS)
