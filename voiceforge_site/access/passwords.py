"""The rules of settings.PASSWORD_RULES, in words and one by one."""

from __future__ import annotations

from django.contrib.auth.password_validation import get_default_password_validators
from django.core.exceptions import ValidationError

from ..models import User


def rules() -> list[str]:
    return [validator.get_help_text() for validator in get_default_password_validators()]


def kept(password: str, user: User) -> list[bool]:
    """For each of `rules`, whether this password of this person's keeps it."""
    validators = get_default_password_validators()
    return [bool(password) and _keeps(validator, password, user) for validator in validators]


def _keeps(validator: object, password: str, user: User) -> bool:
    try:
        validator.validate(password, user)  # type: ignore[attr-defined]
    except ValidationError:
        return False
    return True
