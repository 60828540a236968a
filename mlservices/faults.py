"""What is wrong with what pydantic has read, in our words."""

from __future__ import annotations

from typing import Any

_WHY = {  # by pydantic's name of a fault: what to do, in place of its own words
    "missing": "It is missing.",
    "extra_forbidden": "There is no such field: leave it out.",
    "string_too_long": "It takes {max_length} characters at most: shorten it.",
    "string_too_short": "It is empty: write something.",
    "greater_than_equal": "It begins at {ge}.",
    "less_than_equal": "It goes up to {le}.",
    "literal_error": "Use one of {expected}.",
    "string_type": "Send a text.",
    "int_type": "Send a whole number.",
    "int_parsing": "Send a whole number.",
    "int_from_float": "Send a whole number.",
    "float_type": "Send a number.",
    "float_parsing": "Send a number.",
    "finite_number": "Send a number.",
    "bool_type": "Send true or false.",
    "bool_parsing": "Send true or false.",
    "model_attributes_type": "Send an object: fields by their names.",
    "model_type": "Send an object: fields by their names.",
    "dict_type": "Send an object: fields by their names.",
    "list_type": "Send a list.",
    "too_long": "It takes {max_length} at most.",
    "too_short": "It takes {min_length} at least.",
}


def remedy(fault: Any) -> str:
    """Of one of a ValidationError's `errors()`."""
    limits = fault.get("ctx", {})
    if fault["type"] == "string_too_short" and limits["min_length"] > 1:
        return f"It takes {limits['min_length']} characters at least."
    if fault["type"] in _WHY:
        return _WHY[fault["type"]].format(**limits)
    told: str = fault["msg"].removeprefix("Value error, ")
    return told
