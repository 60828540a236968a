"""Bodies of requests: JSON that whatever looks at it afterwards, and a database, can take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from ..api.answers import Refused
from ..json_text import json_of

LARGEST = 4 * 2**20  # bytes; a flow may have half of that


class Json(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        content = stream.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise Refused(413, f"The body is larger than {LARGEST // 2**20} MB.")
        try:
            return json_of(content) if content.strip() else {}
        except json.JSONDecodeError as error:
            place = f"line {error.lineno}, column {error.colno}: "
            raise ParseError(f"The body is no JSON: {place if error.doc else ''}{error.msg}.") from None
