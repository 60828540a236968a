"""An agent's own variables, {"clinic": "Harbour Street Clinic"}, and the placeholders that name them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from .flow.variables import BUILT_IN, unknown

MOST_CONSTANTS = 30
LONGEST_VALUE = 200
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LINE = re.compile(r"\s*([^=]*?)\s*=\s*(.*?)\s*")


def validate_constants(data: object) -> None:
    """A validator for the column. Raises ValidationError that names the variable."""
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        raise _wrong(_("Use names with texts."))
    if len(data) > MOST_CONSTANTS:
        raise _wrong(_("At most %(most)d variables.") % {"most": MOST_CONSTANTS})
    for name, value in data.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            text = _("“%(name)s” cannot be a name: use small letters, digits and _, a letter first.")
            raise _wrong(text % {"name": name})
        if name in BUILT_IN:
            raise _wrong(_("“%(name)s” is known to every agent; choose another name.") % {"name": name})
        if not value or len(value) > LONGEST_VALUE:
            text = _("Give “%(name)s” a value of at most %(most)d characters.")
            raise _wrong(text % {"name": name, "most": LONGEST_VALUE})


def _wrong(text: str) -> ValidationError:
    return ValidationError(text, code="constants")


def read_constants(text: str) -> dict[str, str]:
    """Lines of `name = value`. Raises ValidationError with the line that is none, or is there twice."""
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        match = _LINE.fullmatch(line)
        if match is None:
            raise _wrong(_("“%(line)s” cannot be read. Write it like name = value.") % {"line": line})
        if match[1] in found:
            raise _wrong(_("“%(name)s” is there twice.") % {"name": match[1]})
        found[match[1]] = match[2]
    validate_constants(found)
    return found


def write_constants(constants: Mapping[str, str]) -> str:
    return "\n".join(f"{name} = {value}" for name, value in sorted(constants.items()))


def check_placeholders(texts: Mapping[str, str], constants: Any) -> dict[str, Any]:
    """By name of the field: which placeholder in it nobody knows, and which there are."""
    known = [*BUILT_IN, *(constants if isinstance(constants, dict) else {})]
    errors: dict[str, Any] = {}
    for field, text in texts.items():
        if missing := unknown(text, known):
            words = _("There is no variable %(missing)s. There are %(known)s.")
            errors[field] = words % {
                "missing": ", ".join(f"{{{{{name}}}}}" for name in missing),
                "known": ", ".join(f"{{{{{name}}}}}" for name in known),
            }
    return errors
