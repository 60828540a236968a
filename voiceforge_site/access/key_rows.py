"""The row of an API key with its person. Asked before every request of the API; the ORM would spend a third
of a small request's time on writing this one query anew."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db import connection

from ..models import ApiKey, User

_KEY, _PERSON = ApiKey._meta, User._meta
_NAMES_OF_KEY = [field.attname for field in _KEY.concrete_fields]
_NAMES_OF_PERSON = [field.attname for field in _PERSON.concrete_fields]


def key_row(prefix: str) -> ApiKey | None:
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [prefix])
        found = cursor.fetchone()
    if found is None:
        return None
    values = list(found)
    for place, column, convert in _converters(connection.vendor):
        values[place] = convert(values[place], column, connection)
    split = len(_NAMES_OF_KEY)
    row = ApiKey.from_db(connection.alias, _NAMES_OF_KEY, values[:split])
    row.person = User.from_db(connection.alias, _NAMES_OF_PERSON, values[split:])
    return row


@cache
def _statement() -> str:
    columns = [f'"{meta.db_table}"."{field.column}"' for meta, field in _fields()]
    return (
        f'SELECT {", ".join(columns)} FROM "{_KEY.db_table}" '
        f'JOIN "{_PERSON.db_table}" ON "{_PERSON.db_table}"."id" = "{_KEY.db_table}"."person_id" '
        f'WHERE "{_KEY.db_table}"."prefix" = %s'
    )


@cache
def _converters(vendor: str) -> list[tuple[int, Any, Any]]:
    """(place in a row, column, what makes a value of the database one of Python)"""
    found = []
    for place, (meta, field) in enumerate(_fields()):
        column = field.get_col(meta.db_table)
        converters = connection.ops.get_db_converters(column) + column.get_db_converters(connection)
        found += [(place, column, convert) for convert in converters]
    return found


def _fields() -> list[tuple[Any, Any]]:
    return [(meta, field) for meta in (_KEY, _PERSON) for field in meta.concrete_fields]
