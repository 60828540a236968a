"""Sign-in by password, and the abilities of a role."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend

from .roles import ABILITIES, may


class RoleBackend(ModelBackend):
    """Signs in by password; what a user may do is the role's alone (a superuser may do everything)."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return bool(user_obj.is_active) and may(getattr(user_obj, "role", ""), perm)

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return {ability for ability in ABILITIES if self.has_perm(user_obj, ability)}

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return any(ability.startswith(f"{app_label}.") for ability in self.get_all_permissions(user_obj))
