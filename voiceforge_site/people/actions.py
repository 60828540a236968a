"""What can be done with people, one function a verb. `by` is who does it, for the log and the rules.

Raises ValidationError, in words, for what must not be done.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from datetime import timedelta
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from mlservices import audit

from ..access import codes
from ..access.roles import Role
from ..models import Invitation, RecoveryCode, Session, User

logger = logging.getLogger(__name__)

VALID_FOR = timedelta(days=7)
NEW_PASSWORD_VALID_FOR = timedelta(days=1)
PROFILE = ("name", "email", "time_zone", "language")


# ---- invitations ----------------------------------------------------------------------------


@transaction.atomic
def invite(*, role: str, meant_for: str, by: User) -> str:
    """The token of a new invitation, which nobody can read again."""
    expires = timezone.now() + VALID_FOR
    invitation, token = _new_link(role=role, meant_for=meant_for.strip(), invited_by=by, expires_at=expires)
    after = {"role": role, "meant_for": invitation.meant_for, "expires_at": expires}
    audit.record("invitation.made", invitation, after=after, by=by.username)
    logger.info("%s invited a person as %s.", by.username, role)
    return token


@transaction.atomic
def offer_new_password(*, user: User, by: User) -> str:
    """The token of a link by which somebody who forgot their password chooses another."""
    if user == by:
        raise ValidationError(_("Change your own password in your profile."))
    if not user.is_active:
        raise ValidationError(_("Reactivate %(name)s first.") % {"name": user.get_full_name()})
    Invitation.objects.filter(account=user, used_at=None).delete()
    expires = timezone.now() + NEW_PASSWORD_VALID_FOR
    _link, token = _new_link(account=user, meant_for=user.get_full_name(), invited_by=by, expires_at=expires)
    _record("person.new_password_offered", user, by)
    logger.info("%s made a link for a new password of %s.", by.username, user.username)
    return token


def _new_link(**fields: Any) -> tuple[Invitation, str]:
    token = secrets.token_urlsafe(32)
    invitation = Invitation(digest=_digest(token), **fields)
    invitation.full_clean()
    invitation.save()
    return invitation, token


def invitation_of(token: str) -> Invitation | None:
    """Used, expired or open; None where there never was one, or it was withdrawn."""
    return Invitation.objects.filter(digest=_digest(token)).first()


@transaction.atomic
def withdraw(*, invitation: Invitation, by: User) -> None:
    """Its link works no more. One that was used stays, as the origin of an account."""
    named = audit.Thing.of(invitation)
    if Invitation.objects.filter(pk=invitation.pk, used_at=None).delete()[0]:
        audit.record("invitation.withdrawn", named, before={"role": invitation.role}, by=by.username)
        logger.info("%s withdrew an invitation as %s.", by.username, invitation.role)


@transaction.atomic
def accept(*, invitation: Invitation, user: User, password: str) -> User:
    """Makes the account of `user`, which is not stored yet, with the role of the invitation."""
    _use(invitation)
    validate_password(password, user)
    user.role = invitation.role
    user.set_password(password)
    user.full_clean()
    user.save()
    Invitation.objects.filter(pk=invitation.pk).update(used_by=user)
    after = {"role": user.role, "invitation": str(invitation), "invited_by": invitation.invited_by.username}
    _record("person.joined", user, user, after=after)
    logger.info("%s accepted an invitation as %s.", user.username, user.role)
    return user


@transaction.atomic
def accept_new_password(*, invitation: Invitation, password: str) -> User:
    """Of the account that the link is for; whoever is signed in with the old one is signed out."""
    user = invitation.account
    assert user
    _use(invitation)
    validate_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    Session.objects.filter(user=user).delete()
    _record("person.new_password", user, user)
    logger.info("%s chose a new password by a link of %s.", user.username, invitation.invited_by.username)
    return user


def _use(invitation: Invitation) -> None:
    now = timezone.now()
    unused = Invitation.objects.filter(pk=invitation.pk, used_at=None, expires_at__gt=now)
    if not unused.update(used_at=now):
        raise ValidationError(_("This link has been used or has expired. Ask for a new one."))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


# ---- other people ---------------------------------------------------------------------------


@transaction.atomic
def change_role(*, user: User, role: str, by: User) -> None:
    if role not in Role.values:
        raise ValidationError(_("There is no such role."))
    if role != Role.ADMINISTRATOR:
        _keep_an_administrator(user, by)
    before = {"role": user.role}
    User.objects.filter(pk=user.pk).update(role=role)
    _record("person.role_changed", user, by, before=before, after={"role": role})
    logger.info("%s gave %s the role %s.", by.username, user.username, role)


@transaction.atomic
def deactivate(*, user: User, by: User) -> None:
    """Signs the person out everywhere, and in no more. What they did stays. Their sessions are worth nothing,
    and stay so that their browsers can be told why (`access.sessions.why_nobody`)."""
    _keep_an_administrator(user, by)
    User.objects.filter(pk=user.pk).update(is_active=False)
    Invitation.objects.filter(account=user, used_at=None).delete()
    _record("person.deactivated", user, by)
    logger.info("%s deactivated %s.", by.username, user.username)


@transaction.atomic
def reactivate(*, user: User, by: User) -> None:
    """Lets the person sign in again; nothing that they were signed in with before is worth anything."""
    Session.objects.filter(user=user).delete()
    User.objects.filter(pk=user.pk).update(is_active=True)
    _record("person.reactivated", user, by)
    logger.info("%s reactivated %s.", by.username, user.username)


def _keep_an_administrator(user: User, by: User) -> None:
    """Two administrators who deactivate each other at once must come one after the other: rows are locked."""
    if user == by:
        raise ValidationError(_("You cannot take your own rights away. Ask another administrator to do it."))
    active = User.objects.select_for_update().filter(role=Role.ADMINISTRATOR, is_active=True)
    if {each.pk for each in active} <= {user.pk}:
        raise ValidationError(
            _("%(name)s is the only administrator. Make somebody else one first.")
            % {"name": user.get_full_name()}
        )


# ---- sessions -------------------------------------------------------------------------------


@transaction.atomic
def end_sessions(*, user: User, by: User, but: str | None = None) -> int:
    """Signs the person out of every browser, `but` the one of that session key. How many those were."""
    ended, _by_model = Session.objects.filter(~Q(pk=but), user=user).delete()
    _record("person.signed_out_elsewhere", user, by, detail=str(ended))
    logger.info("%s ended %d sessions of %s.", by.username, ended, user.username)
    return ended


@transaction.atomic
def end_session(*, user: User, key: str) -> None:
    """Signs the person out of the browser that has the session of this key."""
    if Session.objects.filter(pk=key, user=user).delete()[0]:
        _record("person.signed_out_elsewhere", user, user, detail="1")


# ---- one's own ------------------------------------------------------------------------------


@transaction.atomic
def change_password(*, user: User, password: str) -> None:
    """Every session of the person's but the one that `update_session_auth_hash` renews ends by it."""
    validate_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    _record("person.password_changed", user, user)
    logger.info("%s changed their password.", user.username)


@transaction.atomic
def require_codes(*, user: User, secret: str, code: str) -> list[str]:
    """Sign-in asks for codes of `secret` (sealed) from now on; `code` is one. Answers the recovery codes."""
    step = codes.step_of(secret, code)
    if not step:
        raise ValidationError(_("This is not the code of now. Wait for the next one, and type that."))
    user.code_secret, user.last_code_step = secret, step
    user.save(update_fields=["code_secret", "last_code_step"])
    _record("person.codes_required", user, user)
    logger.info("%s switched two-step sign-in on.", user.username)
    return codes.new_recovery_codes(user)


@transaction.atomic
def stop_requiring_codes(*, user: User, by: User) -> None:
    User.objects.filter(pk=user.pk).update(code_secret="", last_code_step=0)
    RecoveryCode.objects.filter(user=user).delete()
    _record("person.codes_off", user, by)
    logger.info("%s switched two-step sign-in of %s off.", by.username, user.username)


@transaction.atomic
def renew_recovery_codes(*, user: User) -> list[str]:
    """The old ones are worth nothing any more."""
    _record("person.recovery_codes", user, user)
    return codes.new_recovery_codes(user)


@transaction.atomic
def save_profile(*, user: User) -> None:
    """Name, e-mail address, zone and language, as a form has judged them."""
    before = audit.stored_fields(user, *PROFILE)
    user.save(update_fields=PROFILE)
    _record("person.profile_changed", user, user, before=before, after=audit.fields_of(user, *PROFILE))


# ---- signing in and out -----------------------------------------------------------------------


def signed_in(*, user: User) -> None:
    _record("person.signed_in", user, user)


def signed_out(*, user: User) -> None:
    _record("person.signed_out", user, user)


def was_refused(*, username: str) -> None:
    """A wrong password or code. What was typed is told only where it is somebody's name: it may have been a
    password in the wrong field."""
    user = User.objects.filter(username__iexact=username).first()
    unknown = audit.Thing("voiceforge_site.user", "", "an unknown account")
    audit.record("person.refused", audit.Thing.of(user) if user else unknown)


def _record(verb: str, user: User, by: User, **more: Any) -> None:
    audit.record(verb, user, by=by.username, **more)
