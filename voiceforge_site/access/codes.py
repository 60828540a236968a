"""The second step of signing in: codes of an app (TOTP, RFC 6238), and recovery codes for when it is lost."""

from __future__ import annotations

import hashlib
import secrets
import time

import pyotp
import segno
from django.db import transaction
from django.utils.safestring import SafeString, mark_safe

from mlservices.secret_box import UnreadableSecret, opened, sealed

from ..models import RecoveryCode, User

ISSUER = "VoiceForge"
STEP_SECONDS = 30
STEPS_OFF = 1  # a telephone's clock may be so many steps before or behind ours
RECOVERY_CODES = 8
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another


def new_secret() -> str:
    """Sealed, as all that is kept of it."""
    return sealed(pyotp.random_base32())


def secret_in_groups(secret: str) -> str:
    """As it is typed into an app that cannot see the picture."""
    text = opened(secret)
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def picture(secret: str, username: str) -> SafeString:
    """An SVG for the app's camera; static/css/pages/people.css gives it its colours."""
    address = pyotp.TOTP(opened(secret)).provisioning_uri(name=username, issuer_name=ISSUER)
    drawn = segno.make(address, error="m").svg_inline(omitsize=True, border=2, svgclass="vf-qr")
    return mark_safe(drawn)  # noqa: S308 - of our own making: modules, no words


def step_of(secret: str, code: str) -> int:
    """The time step that this code belongs to; 0 if it is none of now. Raises UnreadableSecret."""
    digits = "".join(code.split())
    totp = pyotp.TOTP(opened(secret))
    now = int(time.time()) // STEP_SECONDS
    for step in range(now - STEPS_OFF, now + STEPS_OFF + 1):
        if pyotp.utils.strings_equal(totp.at(step * STEP_SECONDS), digits):
            return step
    return 0


@transaction.atomic
def take_code(user: User, code: str) -> bool:
    """Whether this code, of the app or for recovery, lets the person in. It lets nobody in again."""
    try:
        step = step_of(user.code_secret, code)
    except UnreadableSecret:  # recovery codes work all the same
        step = 0
    unused = User.objects.filter(pk=user.pk, code_secret=user.code_secret, last_code_step__lt=step)
    if step and unused.update(last_code_step=step):
        return True
    deleted, _by_model = RecoveryCode.objects.filter(user=user, digest=_digest(code)).delete()
    return deleted > 0


@transaction.atomic
def new_recovery_codes(user: User) -> list[str]:
    """In place of all that there were; only here are they in the clear."""
    codes = [_recovery_code() for _number in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=_digest(code)) for code in codes)
    return codes


def _recovery_code() -> str:
    """Some 79 bits, in groups of four."""
    groups = ("".join(secrets.choice(_LETTERS) for _letter in range(4)) for _group in range(4))
    return "-".join(groups)


def _digest(code: str) -> str:
    bare = "".join(letter for letter in code.lower() if letter.isalnum())
    return hashlib.sha256(bare.encode()).hexdigest()
