"""The rules of settings.PASSWORD_RULES, in words and one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import password_validation as django_rules
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import User


@dataclass(frozen=True, slots=True)
class Rule:
    """`pattern` is a regular expression of the passwords that keep it, where a browser can judge alone."""

    words: str
    pattern: str = ""


def rules() -> list[Rule]:
    return [Rule(_in_words(rule), _pattern(rule)) for rule in django_rules.get_default_password_validators()]


def kept(password: str, user: User) -> list[bool]:
    """For each of `rules`, whether this password of this person's keeps it."""
    each = django_rules.get_default_password_validators()
    return [bool(password) and _keeps(rule, password, user) for rule in each]


def _in_words(rule: Any) -> str:
    match rule:
        case django_rules.MinimumLengthValidator():
            return ngettext(
                "At least %(count)d character", "At least %(count)d characters", rule.min_length
            ) % {"count": rule.min_length}
        case django_rules.NumericPasswordValidator():
            return _("Not digits alone")
        case django_rules.CommonPasswordValidator():
            return _("None that many people use")
        case django_rules.UserAttributeSimilarityValidator():
            return _("Not like your name or username")
    return str(rule.get_help_text())


def _pattern(rule: Any) -> str:
    match rule:
        case django_rules.MinimumLengthValidator():
            return rf"[\s\S]{{{rule.min_length},}}"
        case django_rules.NumericPasswordValidator():
            return r"[\s\S]*\D[\s\S]*"
    return ""


def _keeps(rule: Any, password: str, user: User) -> bool:
    try:
        rule.validate(password, user)
    except ValidationError:
        return False
    return True
