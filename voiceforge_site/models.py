"""Who signs in."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from .access.roles import Role


class User(AbstractUser):
    """`role` says what the person may do (`access.roles`); without one, nothing but their own profile."""

    role = models.CharField(_("role"), max_length=16, choices=Role, blank=True)
