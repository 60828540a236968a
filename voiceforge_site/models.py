"""Who signs in, from where, and who has been invited to."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .access.roles import ABILITIES, Role, may
from .audit.models import AuditEntry as AuditEntry
from .audit.models import AuditHead as AuditHead
from .hooks.models import Delivery as Delivery
from .hooks.models import Webhook as Webhook
from .keys.models import KeyUse as KeyUse


class People(BaseUserManager["User"]):
    def create_user(self, username: str, email: str = "", password: str | None = None, **fields: Any) -> User:
        user = self.model(username=username, email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, username: str, email: str = "", password: str | None = None, **fields: Any
    ) -> User:
        """An administrator: `manage.py createsuperuser` asks for one by this name."""
        return self.create_user(username, email, password, **{"role": Role.ADMINISTRATOR} | fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(username__iexact=username)


class User(AbstractBaseUser):
    """`role` alone says what the person may do (`access.roles`); without one, nothing but their profile."""

    username = models.CharField(
        _("username"),
        max_length=60,
        unique=True,
        validators=[UnicodeUsernameValidator()],
        error_messages={"unique": _("Somebody has this username already: choose another.")},
    )
    name = models.CharField(_("name"), max_length=80, blank=True)
    email = models.EmailField(_("e-mail address"), blank=True)
    role = models.CharField(_("role"), max_length=16, choices=Role, blank=True)
    is_active = models.BooleanField(_("may sign in"), default=True)
    joined_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(null=True, blank=True)  # to the minute

    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)  # "": what the browser says
    language = models.CharField(_("language"), max_length=8, blank=True)  # "": what the browser asks for

    # Ciphertext; "" while sign-in takes the password alone. `access.codes` reads it.
    code_secret = models.TextField(blank=True)
    last_code_step = models.BigIntegerField(default=0)  # of the newest code that was taken

    # The abilities that the API key which asks was given; None: all of the role's. Of this object alone.
    scopes: frozenset[str] | None = None
    asks_with: str = ""  # the id of that key

    objects = People()
    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = []

    class Meta:
        verbose_name = _("user")
        constraints = [
            models.UniqueConstraint(
                Lower("username"),
                name="username_in_any_case",
                violation_error_message=_("Somebody has this username already: choose another."),
            )
        ]

    def get_absolute_url(self) -> str:
        return reverse("people:person", args=[self.pk])

    def get_full_name(self) -> str:
        return self.name or self.username

    def has_perm(self, perm: str, obj: object = None) -> bool:
        in_scope = self.scopes is None or perm in self.scopes
        return self.is_active and in_scope and may(self.role, perm)

    def has_perms(self, perm_list: list[str], obj: object = None) -> bool:
        return all(self.has_perm(perm) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        return any(ability.startswith(f"{app_label}.") and self.has_perm(ability) for ability in ABILITIES)

    @property
    def signs_in_with_code(self) -> bool:
        return bool(self.code_secret)


class RecoveryCode(models.Model):
    """Signs in once in place of a code, where the telephone is lost. Deleted when it is used."""

    user = models.ForeignKey(User, models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)  # SHA-256; the code itself is random enough

    def __str__(self) -> str:
        return f"a recovery code of {self.user}"


class Session(AbstractBaseSession):
    """A browser that somebody has signed in with; `access.sessions` keeps it. Deleting it signs out."""

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    address = models.CharField(max_length=45, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    seen_at = models.DateTimeField(default=timezone.now)  # to the minute

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
        return store


class WrongTries(models.Model):
    """Of an account or an address, as `access.throttle` counts them; `key` tells neither."""

    key = models.CharField(max_length=80, primary_key=True)
    tries = models.PositiveIntegerField(default=0)  # in a row
    until = models.FloatField(default=0)  # when the next may be, and
    forgotten = models.FloatField(default=0, db_index=True)  # when they count no more: seconds since 1970

    def __str__(self) -> str:
        return f"{self.key}: {self.tries}"


class Invitation(models.Model):
    """A link by which one person makes their account, or gives `account` a new password.

    Of its token only the hash is kept.
    """

    digest = models.CharField(max_length=64, unique=True)
    role = models.CharField(_("role"), max_length=16, choices=Role, blank=True)
    account = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="+")
    meant_for = models.CharField(_("for"), max_length=80, blank=True)
    invited_by = models.ForeignKey(User, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(used_by=None) | Q(used_at__isnull=False), name="used_when")
        ]

    def __str__(self) -> str:
        return self.meant_for or f"an invitation as {self.role}"

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()


class ApiKey(models.Model):
    """What a program shows in place of a person's session: it may do what the person's role may, or of that
    only what its `scopes` name.

    Of the key itself only the hash is kept, and its beginning, by which it is spoken of.
    """

    name = models.CharField(_("name"), max_length=80)
    prefix = models.CharField(max_length=20, unique=True)
    digest = models.CharField(max_length=64)  # SHA-256; the key itself is random enough
    person = models.ForeignKey(User, models.CASCADE, related_name="api_keys")
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_from = models.CharField(max_length=45, blank=True)
    last_used_for = models.CharField(max_length=120, blank=True)  # "GET /api/agents/{id}", some seconds later
    scopes = models.JSONField(
        _("what it may do"), default=list, blank=True
    )  # abilities; none: all of the role
    networks = models.JSONField(_("networks it may be used from"), default=list, blank=True)  # none: any
    requests_a_minute = models.PositiveIntegerField(_("requests a minute"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    # Of a key that was rotated: the one in its place. Both open until this one expires.
    replaced_by = models.OneToOneField(
        "self", models.SET_NULL, null=True, blank=True, related_name="replaces"
    )

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}...)"

    def get_absolute_url(self) -> str:
        return reverse("keys:key", args=[self.prefix])

    @property
    def may_do(self) -> list[Any]:
        """Its scopes in words; none: all that its person may."""
        return [what for ability, (what, _roles) in ABILITIES.items() if ability in self.scopes]

    @property
    def opens(self) -> bool:
        """Whether it opens anything, by itself: its person may have left."""
        return not self.revoked_at and not (self.expires_at and self.expires_at <= timezone.now())


class Done(models.Model):
    """A request that was sent with an Idempotency-Key, and how it was answered; `access.idempotency` keeps it
    for a day."""

    asker = models.CharField(max_length=40)  # the key's id, or who it is
    key = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)  # of what was asked for
    status = models.PositiveSmallIntegerField(null=True)  # None: it is being answered
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=bytes)
    at = models.DateTimeField(default=timezone.now, db_index=True)  # the old ones

    class Meta:
        constraints = [models.UniqueConstraint(fields=["asker", "key"], name="done_once")]

    def __str__(self) -> str:
        return self.key
