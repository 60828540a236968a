"""An agent's own variables, {"clinic": "Harbour Street Clinic"}, and the placeholders that name them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from .flow.variables import BUILT_IN, placeholders, unknown

MOST_CONSTANTS = 30
LONGEST_VALUE = 200
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LINE = re.compile(r"\s*([^=]*?)\s*=\s*(.*?)\s*")


def validate_constants(data: object) -> None:
    """A validator for the column. Raises ValidationError that names each variable at fault."""
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        raise _wrong(_("Use names with texts."))
    wrong = [text for name, value in data.items() if (text := _fault(name, value))]
    if len(data) > MOST_CONSTANTS:
        wrong.append(
            _("At most %(most)d variables; these are %(count)d.")
            % {"most": MOST_CONSTANTS, "count": len(data)}
        )
    if wrong:
        raise _wrong(*wrong)


def _fault(name: object, value: str) -> str:
    """What is wrong with one of them; "" for nothing."""
    if str(name).lower() in BUILT_IN:
        text = _("“%(name)s” is a built-in variable, which each call fills in itself. Choose another name.")
        return text % {"name": name}
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        text = _("“%(name)s” cannot be a name: use small letters, digits and _, a letter first.")
        return text % {"name": name}
    if not value or len(value) > LONGEST_VALUE:
        text = _("Give “%(name)s” a value of at most %(most)d characters.")
        return text % {"name": name, "most": LONGEST_VALUE}
    if inner := placeholders(value):
        text = _("The value of “%(name)s” is said as it stands and cannot hold {{%(inner)s}}.")
        return text % {"name": name, "inner": inner[0]}
    return ""


def _wrong(*texts: str) -> ValidationError:
    return ValidationError([ValidationError(text, code="constants") for text in texts])


def read_constants(text: str) -> dict[str, str]:
    """Lines of `name = value`. Raises ValidationError with each line that is none, or is there twice."""
    found: dict[str, str] = {}
    wrong: list[str] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        match = _LINE.fullmatch(line)
        if match is None:
            wrong.append(_("“%(line)s” cannot be read. Write it like name = value.") % {"line": line})
        elif match[1] in found:
            wrong.append(_("“%(name)s” is there twice.") % {"name": match[1]})
        else:
            found[match[1]] = match[2]
    if wrong:
        raise _wrong(*wrong)
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
