"""What a caller means: a fact or an ability, surely, perhaps, or one of two.

The thresholds say how near (cosine) words must come to the best example. They were measured on
tests/agents/heard_by_the_clinic.py: what the clinic knows came to 0.49 and more, foreign questions to
0.44 at most.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from . import hours as opening_hours
from .corrections import behind
from .hearing import Verdict, denies_emergency, gist, is_courtesy, is_negated, is_request, plain, yes_or_no
from .intents import AGREES, DISAGREES, INTENTS, Ability, Intent
from .knowledge import Fact
from .matching import Candidate, Match, Matcher, Meanings
from .steps import Noted

THRESHOLD = 0.35  # below it nothing is known
SURE = 0.48  # below it the meaning is asked back before it is acted on
CERTAIN = 0.6  # from here on words are taken for an aside, a message or a transfer
UNMISTAKABLE = 0.82  # from here on even a plausible name is taken for a question: "Park" comes to 0.80
ENDING = 0.75  # from here on they end the call: "let me talk to somebody" comes to 0.68
MARGIN = 0.05  # two meanings this near to each other are asked back
URGENT_HEAD_START = 0.12

LONGEST_VERDICT = 7  # words of a yes or no; longer clauses tell something besides
_CLAUSES = re.compile(r"[.,;:?!]+")
_AGREES, _DISAGREES = tuple(map(plain, AGREES)), tuple(map(plain, DISAGREES))
# Small talk that is not clearly meant is no candidate.
_SERIOUS_ABILITIES: tuple[Ability, ...] = ("message", "transfer", "goodbye")
# "Do you mean saying hello?" is asked of nobody.
_NEVER_ASKED_BACK: tuple[Ability, ...] = (
    "hello", "how_are_you", "thanks", "repeat", "wait", "misunderstood", "goodbye",
)  # fmt: skip


class Understanding:
    """The facts of one agent and the abilities of all."""

    def __init__(self, facts: Sequence[Fact], meanings: Meanings) -> None:
        self._urgent = [fact for fact in facts if fact.urgent]
        self._with_hours = [fact for fact in facts if fact.hours]
        self._meanings = meanings
        self._matcher = Matcher(meanings, [*INTENTS, *facts])

    def prepare(self) -> None:
        """Begin to learn the examples; does not wait."""
        self._meanings.learn_soon([*self._matcher.examples, *_AGREES, *_DISAGREES])

    def knows_exactly(self, words: str) -> bool:
        """Whether the words are one of the examples."""
        return self._matcher.exact(words) is not None

    async def match(self, words: str, *, about_hours: bool = False) -> Match | None:
        """The ranking as a person would see it: an emergency first, and, if the talk is about opening
        hours, "and on Sunday?" as one more question about them. None without words.

        At most one embedding request; raises EngineError.
        """
        match = await self._matcher.match(words)
        if match is None:
            return None
        ranking = match.ranking
        if denies_emergency(words):
            ranking = tuple(each for each in ranking if each.target not in self._urgent) or ranking
        match = Match(tuple(filter(_is_candidate, ranking)) or ranking)
        urgent = match.nearest(self._urgent)
        if urgent and urgent.score >= max(SURE, match.best.score - URGENT_HEAD_START):
            return match.led_by(urgent)
        if about_hours and match.best.score < CERTAIN and opening_hours.is_about_a_day(plain(words)):
            hours = match.nearest(self._with_hours)
            return match.led_by(Candidate(hours.target, max(hours.score, CERTAIN))) if hours else match
        return match

    async def verdict(self, words: str) -> Verdict | None:
        """Whether words agree with what was read back, however they say it, and what else they say, as it
        was said; None if they neither agree nor disagree. One no among them counts.

        At most one embedding request; raises EngineError.
        """
        clauses = [clause.strip() for clause in _CLAUSES.split(words) if plain(clause)]
        plainly = [yes_or_no(clause) for clause in clauses]
        unclear = [
            clause
            for clause, verdict in zip(clauses, plainly, strict=True)
            if not (verdict and is_courtesy(verdict.rest)) and len(plain(clause).split()) <= LONGEST_VERDICT
        ]
        meant = await self._agreement(unclear) if unclear else {}
        found, rests = [], []
        for clause, verdict in zip(clauses, plainly, strict=True):
            if clause in meant:
                found.append(meant[clause])
            elif verdict:
                found.append(verdict.yes)
                rests.append(behind(clause, verdict.rest))
            else:
                rests.append(clause)
        rest = ", ".join(rest for rest in rests if not is_courtesy(rest))
        return Verdict(yes=all(found), rest=rest) if found else None

    async def _agreement(self, clauses: Sequence[str]) -> dict[str, bool]:
        """Those of the clauses that come near to a yes or a no by their meaning."""
        await self._meanings.learn([*_AGREES, *_DISAGREES])
        said = await self._meanings.embed([plain(clause) for clause in clauses])
        yes = (said @ self._meanings.matrix(_AGREES).T).max(axis=1)
        no = (said @ self._meanings.matrix(_DISAGREES).T).max(axis=1)
        return {
            clause: bool(agrees > disagrees)
            for clause, agrees, disagrees in zip(clauses, yes, no, strict=True)
            if max(agrees, disagrees) >= SURE and abs(agrees - disagrees) >= MARGIN
        }

    async def two_questions(self, match: Match | None, words: str) -> list[tuple[Match, Fact]]:
        """The facts that answer the two halves of "hours and address please", which as a whole is `match`;
        one that ends in an offer comes last.

        None for words that ask one thing, as most with an "and" do: each half must stand out far more
        than a whole sentence. At most two embedding requests; raises EngineError.
        """
        halves = gist(words).split(" and ")
        if match is None or not isinstance(match.best.target, Fact) or match.best.target.urgent:
            return []
        if len(halves) != 2:
            return []
        found: list[tuple[Match, Fact]] = []
        for half in halves:
            match = await self.match(half)
            fact = match.best.target if match else None
            if match is None or not isinstance(fact, Fact) or fact.urgent:
                return []
            if match.best.score < SURE or (match.margin < 3 * MARGIN and match.best.score < 1.0):
                return []
            found.append((match, fact))
        found.sort(key=lambda question: question[1].follow_up == "message")
        return found if found[0][1] != found[1][1] else []


def is_known(match: Match) -> bool:
    return match.best.score >= THRESHOLD


def is_clear(match: Match) -> bool:
    """Whether the best is meant beyond doubt, in the middle of something else."""
    return match.best.score >= CERTAIN and (match.margin >= MARGIN or match.best.score == 1.0)


def is_urgent(candidate: Candidate) -> bool:
    urgent = isinstance(candidate.target, Fact) and candidate.target.urgent
    return urgent and candidate.score >= SURE


def has_consequences(candidate: Candidate) -> bool:
    """Whether it is an ability that does more than speak."""
    return isinstance(candidate.target, Intent) and candidate.target.name in _SERIOUS_ABILITIES


def is_meant(candidate: Candidate, words: str) -> bool:
    """Whether words that come nearest to an ability with consequences ask for it."""
    return isinstance(candidate.target, Fact) or asks_for(candidate.target.name, words, candidate.score)


def asks_for(ability: str, words: str, score: float) -> bool:
    """Whether words ask for what they come so near to. Embeddings hardly tell "don't transfer me" and "I was
    transferred" from "transfer me"."""
    if score == 1.0:
        return True
    match ability:
        case "goodbye":
            says_goodbye = not {"goodbye", "bye"}.isdisjoint(plain(words).split())
            verdict = yes_or_no(words)  # "I don't need anything else, bye" denies no goodbye
            denied = is_negated(words) and not (verdict and is_courtesy(verdict.rest))
            return (score >= ENDING or says_goodbye) and not denied
        case "message" | "transfer":
            return score >= CERTAIN and is_request(words) and not is_negated(words)
    return True


def is_plain(match: Match, words: str) -> bool:
    """Whether the words can mean nothing else, so that it may be acted on whatever was asked before."""
    return is_urgent(match.best) or (is_clear(match) and is_meant(match.best, words))


def is_thanks(match: Match) -> bool:
    return match.best.name == "thanks" and match.best.score >= CERTAIN


def declines(verdict: Verdict, match: Match) -> bool:
    """Whether a no with more words behind it, which mean `match`, wants nothing more.

    "No, but can I ..." does want something.
    """
    if verdict.yes or is_negated(verdict.rest):
        return False
    takes_leave = match.best.name in ("goodbye", "thanks") and match.best.score >= SURE
    return takes_leave or is_courtesy(verdict.rest)


def needs_no_message(candidate: Candidate) -> bool:
    """Whether words that begin with a yes or no to an offered message want something else after all."""
    return isinstance(candidate.target, Fact) or candidate.name in ("goodbye", "transfer")


def to_ask_back(match: Match) -> tuple[Fact | Intent, ...]:
    """What the caller has to choose from or confirm before it is acted on; nothing if that is plain."""
    best, near = match.best, match.runner_up
    if is_urgent(best) or best.name in _NEVER_ASKED_BACK or best.score == 1.0:
        return ()
    if near and match.margin < MARGIN and near.score >= THRESHOLD and near.name not in _NEVER_ASKED_BACK:
        return (best.target, near.target)
    return (best.target,) if best.score < SURE else ()


def noted(match: Match) -> Noted:
    """What was understood, and what came next to it."""
    data: dict[str, Any] = {"score": round(match.best.score, 3)}
    if is_urgent(match.best):
        data["urgent"] = True
    if match.runner_up:
        data |= {"runner_up": match.runner_up.name, "runner_up_score": round(match.runner_up.score, 3)}
    if not is_known(match):
        return Noted("intent", "not known", {**data, "nearest": match.best.name})
    return Noted("intent", match.best.name, data)


def _is_candidate(candidate: Candidate) -> bool:
    target = candidate.target
    return isinstance(target, Fact) or target.name in _SERIOUS_ABILITIES or candidate.score >= SURE
