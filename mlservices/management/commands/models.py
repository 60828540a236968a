"""manage.py models VERB [ID ...]: what there is, and its files on this machine and in the ML service."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable
from typing import Any, ClassVar

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from mlservices import catalog
from mlservices.catalog import Kind, Model
from mlservices.clients import control
from mlservices.environments import install
from mlservices.errors import EngineError, PrepareError
from mlservices.management import listing
from mlservices.management.meter import Meter, size
from mlservices.prepare import bytes_here, prepare, remove, state
from mlservices.roster.data import as_data
from mlservices.roster.rows import row_of
from mlservices.roster.told import ask, still_configured
from mlservices.service.layout import configured_models

_HELP = {
    "list": ("[WORD ...]", "the catalogue, or those in which each word occurs"),
    "show": ("ID ...", "everything about a model"),
    "prepare": ("[ID ...]", "make the files ready to load; without an id, of the configured models"),
    "download": (
        "ID ...",
        "fetch and make ready, configured or not; goes on where an earlier one broke off",
    ),
    "install": (
        "ID ...",
        "the libraries of a model's engine, in an environment of their own where they need one",
    ),
    "remove": ("ID ...", "delete the files"),
    "load": ("ID ...", "hold a model in the ML service, which must run"),
    "unload": ("ID ...", "let it go"),
    "warm": ("ID ...", "run it once, so that the first caller does not pay for first use"),
}
_VERBS = "\n".join(
    ["verbs:", *(f"  {f'{verb} {words}':<18} {about}" for verb, (words, about) in _HELP.items())]
)
_OPTIONS: dict[str, tuple[tuple[str, ...], str, dict[str, Any]]] = {  # of which verbs, what for, and how
    "--kind": (("list",), "only this kind", {"choices": [kind.value for kind in Kind]}),
    "--language": (("list",), "only what knows it, as in de", {"metavar": "CODE"}),
    "--json": (("list", "show"), "for programs to read", {"action": "store_true"}),
    "--yes": (("remove",), "do not ask", {"action": "store_true"}),
    "--timeout": (
        ("load", "unload", "warm"),
        "wait so long",
        {"type": float, "default": 600, "metavar": "SECONDS"},
    ),
}


class Command(BaseCommand):
    help = "List the models of the catalogue, get their files, and load them into the ML service."
    requires_system_checks = []

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        shown = {"epilog": _VERBS, "formatter_class": argparse.RawDescriptionHelpFormatter}
        parser = super().create_parser(prog_name, subcommand, **shown, **options)
        parser.parse_args = parser.parse_intermixed_args  # type: ignore[method-assign]  # words after options
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=list(self.VERBS))
        parser.add_argument("ids", nargs="*", metavar="ID", help="as the list shows them")
        for name, (verbs, help, how) in _OPTIONS.items():
            parser.add_argument(name, help=f"{', '.join(verbs)}: {help}", **how)

    def run_from_argv(self, argv: list[str]) -> None:
        """The help of a verb holds what belongs to it."""
        _, name, verb, *rest = [*argv, ""]
        if verb in self.VERBS and {"-h", "--help"} & set(rest):
            self.stdout.write(_help_of(verb, f"manage.py {name}"))
        else:
            super().run_from_argv(argv)

    def handle(self, *args: Any, verb: str, ids: list[str], **options: Any) -> None:
        try:
            self.VERBS[verb](self, ids, options)
        except (PrepareError, EngineError) as error:
            raise CommandError(str(error)) from error
        except BrokenPipeError:  # `| head` has seen enough; nothing is left to flush at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    # --- What there is ---

    def _list(self, words: list[str], options: dict[str, Any]) -> None:
        kind, language = options["kind"], options["language"]
        found = [model for model in catalog.MODELS if listing.matches(model, words, kind, language)]
        if options["json"]:
            self._write_json(found)
        elif found:
            columns = shutil.get_terminal_size().columns if self.stdout.isatty() else None
            for line in listing.table(found, control.held(), columns):
                self.stdout.write(line)
        else:
            raise CommandError("No model matches: see `manage.py models list`.")

    def _show(self, ids: list[str], options: dict[str, Any]) -> None:
        models = _named(ids)
        if options["json"]:
            return self._write_json(models)
        held = control.held()
        for model in models:
            for line in listing.at_length(model, held, model.id in configured_models()):
                self.stdout.write(line)

    def _write_json(self, models: list[Model]) -> None:
        told = ask()
        data = [as_data(row_of(model, told)) for model in models]
        self.stdout.write(json.dumps({"models": data}, indent=2))

    # --- Files ---

    def _prepare(self, ids: list[str], options: dict[str, Any]) -> None:
        self._make_ready(_named(ids or configured_models()))
        self.stdout.write("models ready")

    def _download(self, ids: list[str], options: dict[str, Any]) -> None:
        models = _named(ids)
        self._make_ready(models)
        for model in models:
            files = state(model, settings.MODELS_DIR)
            commit = f", commit {files.commit[:8]}" if files.commit else ""
            what = size(files.size_bytes) if files.size_bytes else "it has no files"
            self.stdout.write(f"{model.id} is ready: {what}{commit}")

    def _make_ready(self, models: list[Model]) -> None:
        meter = Meter(self.stdout)
        try:
            prepare([model.id for model in models], settings.MODELS_DIR, tell=meter.tell, progress=meter.show)
        except KeyboardInterrupt as error:
            meter.clear()
            raise CommandError(
                "Stopped. What has come is kept: the same command goes on from there.", returncode=130
            ) from error
        finally:
            meter.clear()

    def _install(self, ids: list[str], options: dict[str, Any]) -> None:
        for model in _named(ids):
            install(model, settings.VAR_DIR, tell=self.stdout.write)
        self.stdout.write("libraries ready")

    def _remove(self, ids: list[str], options: dict[str, Any]) -> None:
        models = _named(ids)
        held = control.held() or {}
        for model in models:
            if model.id in configured_models():
                raise CommandError(still_configured(model.id))
            if held.get(model.id, {}).get("state") in control.HOLDS:
                raise CommandError(f"{model.id} is loaded: run `manage.py models unload {model.id}` first.")
        for model in models:
            self._remove_one(model, ask=not options["yes"])

    def _remove_one(self, model: Model, *, ask: bool) -> None:
        files = state(model, settings.MODELS_DIR)
        if files.state == "absent" or not model.recipe:
            self.stdout.write(f"{model.id} has no files here")
            return
        count = files.size_bytes or bytes_here(model, settings.MODELS_DIR)
        if ask and count and not self._agrees(f"Delete the files of {model.id} ({size(count)})? [y/N] "):
            self.stdout.write(f"{model.id} is kept")
            return
        if not remove(model, settings.MODELS_DIR):
            raise CommandError(
                f"{model.id} is being fetched by {files.by or 'another process'}: stop it first."
            )
        self.stdout.write(f"{model.id} {'is deleted' if count else 'has no files here'}")

    def _agrees(self, question: str) -> bool:
        try:
            return input(question).strip().lower() in ("y", "yes")
        except EOFError as error:
            raise CommandError("Nobody is there to ask: add --yes.") from error

    # --- The ML service ---

    def _load(self, ids: list[str], options: dict[str, Any]) -> None:
        self._change(ids, "load", options["timeout"])

    def _unload(self, ids: list[str], options: dict[str, Any]) -> None:
        self._change(ids, "unload", options["timeout"])

    def _warm(self, ids: list[str], options: dict[str, Any]) -> None:
        self._change(ids, "warm", options["timeout"])

    def _change(self, ids: list[str], verb: str, within_seconds: float) -> None:
        def tell(told: dict[str, Any]) -> None:
            self.stdout.write(f"{told['id']} is {told['state']} ...")
            self.stdout.flush()

        for model in _named(ids):
            done = control.change(model.id, verb, within_seconds=within_seconds, tell=tell)
            self.stdout.write(f"{model.id} is {'not loaded' if verb == 'unload' else done['state']}")

    VERBS: ClassVar[dict[str, Callable[[Command, list[str], dict[str, Any]], None]]] = {
        "list": _list,
        "show": _show,
        "prepare": _prepare,
        "download": _download,
        "install": _install,
        "remove": _remove,
        "load": _load,
        "unload": _unload,
        "warm": _warm,
    }


def _help_of(verb: str, program: str) -> str:
    (words, about) = _HELP[verb]
    parser = argparse.ArgumentParser(
        prog=f"{program} {verb}", usage=f"%(prog)s [options] {words}", description=about
    )
    for name, (verbs, help, how) in _OPTIONS.items():
        if verb in verbs:
            parser.add_argument(name, help=help, **how)
    return parser.format_help()


def _named(ids: list[str]) -> list[Model]:
    """The models with these ids; CommandError when there are none, or one is unknown."""
    if not ids:
        raise CommandError("Name one or more models: see `manage.py models list`.")
    for id in ids:
        if id not in catalog.BY_ID:
            raise CommandError(f"Unknown model {id}: see `manage.py models list`.")
    return [catalog.BY_ID[id] for id in ids]
