"""Expressions over a flow's variables: `age >= 18 and city == "Halifax"`; no attributes, no code.

By simpleeval, which bounds powers and the length of what is made.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from simpleeval import DEFAULT_OPERATORS, EvalWithCompoundTypes

LONGEST = 500

_OPERATORS = {
    kind: act
    for kind, act in DEFAULT_OPERATORS.items()
    if kind not in (ast.Pow, ast.LShift, ast.RShift, ast.Invert, ast.BitXor, ast.BitOr, ast.BitAnd)
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "lower": lambda text: str(text).lower(),
    "length": lambda text: len(str(text)),
    "number": lambda text: float(text),
    "round": round,
    "min": min,
    "max": max,
}
FUNCTIONS = tuple(_FUNCTIONS)
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "none": None}  # as people write them


class ExpressionError(ValueError):
    """It cannot be read or worked out; says why in a few words."""


@lru_cache(maxsize=4096)  # the same few are asked for on every call
def names_in(expression: str) -> frozenset[str]:
    """The variables that it asks for. Raises ExpressionError where it cannot be read."""
    parts = list(ast.walk(_parsed(expression)))
    called = [part.func for part in parts if isinstance(part, ast.Call)]
    for call in called:
        if not isinstance(call, ast.Name) or call.id not in _FUNCTIONS:
            there = ", ".join(FUNCTIONS)
            raise ExpressionError(f"There is no function {ast.unparse(call)}; there are: {there}.")
    for part in parts:
        if not isinstance(part, _ALLOWED):
            raise ExpressionError(f"“{ast.unparse(part)}” is not allowed here.")
    named = {part.id for part in parts if isinstance(part, ast.Name) and part not in called}
    return frozenset(named - _CONSTANTS.keys())


def value_of(expression: str, variables: Mapping[str, Any]) -> Any:
    """Worked out; a variable that has no value is None. Raises ExpressionError."""
    names: dict[str, Any] = {**dict.fromkeys(names_in(expression)), **variables, **_CONSTANTS}
    evaluator = EvalWithCompoundTypes(operators=_OPERATORS, functions=_FUNCTIONS, names=names)
    try:
        return evaluator.eval(expression)
    except Exception as error:  # whatever an author's expression can run into: types, zero, size
        raise ExpressionError(str(error)) from None


def holds(expression: str, variables: Mapping[str, Any]) -> bool:
    """Whether it is true; one that cannot be read, or compares with what is not known yet, is not."""
    try:
        return bool(value_of(expression, variables))
    except ExpressionError:
        return False


def _parsed(expression: str) -> ast.AST:
    if len(expression) > LONGEST:
        raise ExpressionError(f"At most {LONGEST} characters.")
    try:
        return ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError("It cannot be read.") from None


_ALLOWED = (
    ast.Expression,
    ast.BoolOp,
    ast.BinOp,
    ast.UnaryOp,
    ast.Compare,
    ast.IfExp,
    ast.Call,
    ast.Name,
    ast.Constant,
    ast.Tuple,
    ast.List,
    ast.Load,
    ast.boolop,
    ast.operator,
    ast.unaryop,
    ast.cmpop,
)
