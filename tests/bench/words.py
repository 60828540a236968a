"""What made-up callers and agents say: few words often, many seldom, as in real talk, so that a full text
search has both kinds to find."""

from __future__ import annotations

import random

CALLER = (
    "When are you open on {day}?",
    "I need to move my appointment to {day} {hour} please.",
    "Can I speak to {name} about my {thing}?",
    "My {thing} has not arrived yet and the order number is {number}.",
    "Is there parking near the {place}?",
    "I would like to book a {thing} for {count} people on {day}.",
    "Could you tell me what a {thing} costs?",
    "Yes please.",
    "No thank you.",
    "That's all, thanks a lot.",
    "My name is {name}, that's with a {letter} at the end.",
    "I am calling because of the {thing} that {name} sent me last {day}.",
)
AGENT = (
    "Hello, how can I help you?",
    "We are open from eight to six on {day}.",
    "Sure, {day} {hour} is free. Shall I put you down for it?",
    "I'll connect you to {name}, one moment please.",
    "You can park behind the {place}.",
    "A {thing} is {count} euros.",
    "I am sorry, I did not get that. Shall I take a message?",
    "Thank you. I've noted it for the team.",
    "Is there anything else?",
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
HOURS = ("morning", "at nine", "at noon", "at half past three", "afternoon")
PLACES = ("building", "station", "clinic", "market square", "hotel", "church")
THINGS = (
    "appointment",
    "delivery",
    "invoice",
    "table",
    "room",
    "prescription",
    "refund",
    "repair",
    "contract",
    "sofa",
    "boiler",
    "passport",
    "bicycle",
    "dishwasher",
    "guitar",
    "telescope",
)
SYLLABLES = (
    "ba",
    "ker",
    "lin",
    "mo",
    "ste",
    "ra",
    "vi",
    "son",
    "dor",
    "hal",
    "ni",
    "bert",
    "que",
    "zan",
    "ulf",
)


def sentences(templates: tuple[str, ...], count: int, seed: int) -> list[str]:
    """The first are said often, if they are chosen by `often`."""
    dice = random.Random(seed)
    names = ["".join(dice.choices(SYLLABLES, k=dice.choice((2, 3, 3, 4)))).title() for _ in range(4000)]
    return [
        dice.choice(templates).format(
            day=dice.choice(DAYS),
            hour=dice.choice(HOURS),
            place=dice.choice(PLACES),
            thing=THINGS[often(dice, len(THINGS))],
            name=names[often(dice, len(names))],
            number=dice.randrange(10_000, 99_999),
            count=dice.randrange(2, 90),
            letter=dice.choice("aeiouy"),
        )
        for _ in range(count)
    ]


def often(dice: random.Random, length: int) -> int:
    """The number of one of `length` things, of which the first are the most frequent."""
    return int(length * dice.random() ** 3)
