"""`manage.py generate_flow "..."`: a flow from a description, from the shell."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from agents.flow.graph import Known, Severity
from agents.flows.actions import create_flow
from agents.flows.generation.schema import SCHEMA
from agents.flows.generation.writing import (
    LONGEST_DESCRIPTION,
    MOST_REPAIRS,
    NotWritten,
    Progress,
    written,
)
from agents.flows.programs import known_to
from agents.flows.texts import sentence
from agents.models import Flow
from mlservices import registry
from mlservices.audit import COMMAND, acting
from mlservices.errors import EngineError
from mlservices.interfaces import ChatModel
from mlservices.ledger import ledger


class Command(BaseCommand):
    help = "Write a flow from a description. It goes to --json OUT, or is kept as a draft with --keep."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("description", help="what the flow is to do, in your words")
        parser.add_argument("--json", metavar="OUT", help="the file to write; - or nothing: standard output")
        parser.add_argument("--keep", action="store_true", help="keep it as a draft as well")
        parser.add_argument("--change", metavar="SLUG", help="change the draft of this flow instead")

    @acting(COMMAND)
    def handle(self, *, description: str, json: str | None, keep: bool, change: str | None, **_: Any) -> None:
        if not 0 < len(description.strip()) <= LONGEST_DESCRIPTION:
            raise CommandError(f"The description has to have 1 to {LONGEST_DESCRIPTION:,} characters.")
        if json and json != "-" and not Path(json).resolve().parent.is_dir():
            raise CommandError(f"--json: there is no folder {Path(json).resolve().parent}.")
        model = registry.writer(SCHEMA)
        if model is None:
            raise CommandError(
                "No language model writes flows yet: set AI_INTEGRATIONS_OPENAI_API_KEY, and for another "
                "server than OpenAI's AI_INTEGRATIONS_OPENAI_BASE_URL and OPENAI_MODEL, in .env."
            )
        flow = self._flow(change)
        ledger.open()
        try:
            made = asyncio.run(self._written(description, model, known_to(flow), flow.draft or None))
        except NotWritten as error:
            raise CommandError(f"The model wrote no flow:\n{error}\nSay it in other words.") from None
        except EngineError as error:
            raise CommandError(str(error)) from None
        finally:
            ledger.close()
        self._deliver(made, json, keep)

    def _flow(self, slug: str | None) -> Flow:
        if not slug:
            return Flow()
        try:
            return Flow.objects.get(slug=slug)
        except Flow.DoesNotExist:
            known = ", ".join(Flow.objects.values_list("slug", flat=True)) or "none"
            raise CommandError(f"--change: there is no flow {slug!r}. There are: {known}.") from None

    async def _written(
        self, description: str, model: ChatModel, known: Known, graph: dict[str, Any] | None
    ) -> Progress:
        told, now = "", Progress("asking")
        try:
            async with aclosing(written(description, model=model, known=known, graph=graph)) as steps:
                async for now in steps:
                    if (line := _line(now)) != told:
                        self.stderr.write(told := line)
        finally:
            await registry.close()
        return now

    def _deliver(self, made: Progress, out: str | None, keep: bool) -> None:
        for problem in made.problems:
            where = problem.node or problem.edge
            self.stderr.write(f"{problem.severity}: {f'{where}: ' if where else ''}{sentence(problem)}")
        text = json.dumps(made.graph, indent=2, ensure_ascii=False) + "\n"
        if out and out != "-":
            Path(out).write_text(text, encoding="utf-8")
            self.stderr.write(f"written to {out}, {made.tokens:,} tokens, {made.seconds:.1f} s")
        elif not keep:
            self.stdout.write(text, ending="")
        if keep:
            try:
                flow = create_flow(graph=made.graph, by="generate_flow")
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from None
            self.stderr.write(f"kept as a draft: {flow.get_absolute_url()}")
        if any(each.severity is Severity.ERROR for each in made.problems):
            raise CommandError("It has errors that have to be mended before it can be published.")


def _line(now: Progress) -> str:
    match now.stage:
        case "asking":
            return "asking the model ..."
        case "longer":
            return "the answer was cut; asking with more room ..."
        case "checking":
            return "checking ..."
        case "mending":
            return f"mending, {now.attempt} of {MOST_REPAIRS} ..."
    return "done"
