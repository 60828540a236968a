"""`manage.py api_key create NAME --person USERNAME`, `list`, `revoke PREFIX`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mlservices.audit import COMMAND, acting
from voiceforge_site.access import key_actions as keys
from voiceforge_site.models import ApiKey, User


class Command(BaseCommand):
    help = "Make, list and revoke the keys with which programs use the API."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_subparsers(dest="what", required=True)
        create = what.add_parser("create", help="make a key; it is shown once")
        create.add_argument("name", help="what it is for")
        create.add_argument("--person", required=True, metavar="USERNAME", help="whose role decides")
        what.add_parser("list", help="all keys, the newest first")
        revoke = what.add_parser("revoke", help="a key opens nothing from now on")
        revoke.add_argument("prefix", help="its beginning, as the list shows it")

    @acting(COMMAND)
    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "create":
            self._create(options["name"], options["person"])
        elif options["what"] == "revoke":
            self._revoke(options["prefix"])
        else:
            self._list()

    def _create(self, name: str, username: str) -> None:
        person = User.objects.filter(username__iexact=username, is_active=True).first()
        if person is None:
            raise CommandError(f"Nobody who may sign in has the username {username}.")
        if not 1 <= len(name) <= 80:
            raise CommandError("NAME: give it 1 to 80 characters.")
        _, key = keys.create(name, person)
        self.stderr.write("Keep it: it is not shown again.")
        self.stdout.write(key)

    def _revoke(self, prefix: str) -> None:
        if not keys.revoke(prefix):
            raise CommandError(f"No key that opens begins with {prefix}: see `manage.py api_key list`.")
        self.stdout.write(f"{prefix} opens nothing any more.")

    def _list(self) -> None:
        for key in ApiKey.objects.select_related("person", "replaced_by").order_by("-created_at"):
            told = [key.prefix, key.person.username, _state(key), key.name, *_limits(key)]
            self.stdout.write("  ".join(told))


def _state(key: ApiKey) -> str:
    used = f"used {key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never used"
    if key.revoked_at:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    if key.expires_at is None:
        return used
    ends = f"{'expires' if key.opens else 'expired'} {key.expires_at:%Y-%m-%d %H:%M}"
    if key.replaced_by:
        ends = f"replaced by {key.replaced_by.prefix}, {ends}"
    return f"{used}, {ends}"


def _limits(key: ApiKey) -> list[str]:
    """What it is kept to, where it is to anything."""
    limits = {"may": key.scopes, "from": key.networks}
    told = [f"{name} {', '.join(values)}" for name, values in limits.items() if values]
    return [*told, f"{key.requests_a_minute} a minute"] if key.requests_a_minute else told
