"""manage.py space build DIR | push DIR: a Hugging Face Space that runs our ML service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from mlservices.catalog import BY_ID, Kind, ids
from mlservices.space.build import BuildError, Choice, build
from mlservices.space.push import PushError, push


class Command(BaseCommand):
    help = "Write the folder of a Hugging Face Space that runs our ML service, or upload it."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        build = verbs.add_parser("build", help="write the folder")
        build.add_argument("folder", type=Path)
        for name, kind, default in (
            ("stt", Kind.STT, settings.STT_ENGINE),
            ("tts", Kind.TTS, settings.TTS_ENGINE),
        ):
            build.add_argument(f"--{name}", choices=ids(kind), default=default, help=f"default: {default}")
        build.add_argument("--llm", choices=ids(Kind.LLM), default=settings.LLM_ENGINE)
        build.add_argument("--model", action="append", default=[], choices=list(BY_ID), help="a further one")
        build.add_argument("--title", default="VoiceForge ML service")
        upload = verbs.add_parser("push", help="upload the folder to a Space, which is made if need be")
        upload.add_argument("folder", type=Path)
        upload.add_argument("space", help="OWNER/NAME")
        upload.add_argument("--private", action="store_true", help="for a Space that is made now")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["verb"] == "build":
                self.build(options)
            else:
                self.push(options)
        except (BuildError, PushError) as error:
            raise CommandError(str(error)) from error

    def build(self, options: dict[str, Any]) -> None:
        choice = Choice(options["stt"], options["tts"], options["llm"], tuple(options["model"]))
        files = build(options["folder"], Path(settings.BASE_DIR), choice, title=options["title"])
        self.stdout.write(f"{options['folder']}: {len(files)} files. Look at them, then run:")
        self.stdout.write(f"  HF_TOKEN=... manage.py space push {options['folder']} OWNER/NAME")

    def push(self, options: dict[str, Any]) -> None:
        address = push(
            options["folder"],
            options["space"],
            token=settings.HF_TOKEN,
            ml_token=settings.HF_ML_API_TOKEN,
            private=options["private"],
        )
        self.stdout.write(f"Pushed. It builds now; then use it with:\n  HF_ML_API_URL={address}")
