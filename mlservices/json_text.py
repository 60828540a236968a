"""JSON that comes from outside, read so that whatever looks at it afterwards, and a database, can take it."""

from __future__ import annotations

import json
import math
import re
from typing import Any

DEEPEST = 64  # levels of lists and objects
_UNKEPT = re.compile("[\0\ud800-\udfff]")


def json_of(text: str | bytes) -> Any:
    """Raises JSONDecodeError, also where it is no text, is nested too deeply, or holds what cannot be stored:
    a number without end, a NUL, half a letter."""
    try:
        content = json.loads(text)
    except json.JSONDecodeError:
        raise
    except UnicodeDecodeError:
        raise json.JSONDecodeError("not text", "", 0) from None
    except RecursionError:
        raise json.JSONDecodeError("nested too deeply", "", 0) from None
    except ValueError:
        raise json.JSONDecodeError("a number that is too long", "", 0) from None
    if reason := _fault(content):
        raise json.JSONDecodeError(reason, "", 0)
    return content


def _fault(content: Any) -> str:
    level = [content]
    for _depth in range(DEEPEST + 1):
        below: list[Any] = []
        for each in level:
            match each:
                case dict():
                    below += [*each, *each.values()]
                case list():
                    below += each
                case str() if _UNKEPT.search(each):
                    return "a NUL, or half a letter"
                case float() if not math.isfinite(each):
                    return "a number without end"
        if not below:
            return ""
        level = below
    return "nested too deeply"
