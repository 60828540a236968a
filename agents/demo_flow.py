"""The flow that the demo agent follows: a talk that answers what the clinic knows, and requests for
appointments step by step. It needs no language model."""

from __future__ import annotations

from typing import Any

from .demo import DEMO_FACTS, DEMO_INSTRUCTIONS, DEMO_NAME, DEMO_TRANSFER_NUMBER

_WAYS: dict[str, Any] = {
    "operator": [
        "operator",
        "let me talk to a human",
        "can I speak to a person please",
        "put me through to the front desk",
        "I want to talk to somebody",
    ],
    "leave": ["never mind", "forget about it", "I changed my mind", "stop", "let's leave it"],
    "repeat": ["can you repeat that", "say that again", "what did you say", "sorry, what was that"],
}


def _asked(topic: str) -> list[str]:
    """The sentences by which callers ask for it."""
    return next(list(fact["questions"]) for fact in DEMO_FACTS if fact["topic"] == topic)


def _node(id: str, type: str, x: int, y: int, label: str, **data: Any) -> dict[str, Any]:
    return {"id": id, "type": type, "position": {"x": x, "y": y}, "data": {"label": label, **data}}


def _edge(source: str, target: str, label: str = "", **condition: Any) -> dict[str, Any]:
    ending = "-failed" if condition.get("outcome") == "failed" else ""
    edge: dict[str, Any] = {"id": f"{source}-{target}{ending}", "source": source, "target": target}
    if label:
        edge["label"] = label
    if condition:
        edge["condition"] = condition
    return edge


DEMO_FLOW: dict[str, Any] = {
    "name": DEMO_NAME,
    "description": "Answers what the clinic knows; takes requests for appointments step by step.",
    "start": "desk",
    "variables": [
        {"name": "wish", "kind": "text", "description": "What the caller calls for"},
        {"name": "details", "kind": "text", "description": "Which day, or what is to be changed"},
        {"name": "patient", "kind": "text", "description": "The caller's name", "filledInPassing": False},
        {"name": "more", "kind": "yes_no", "description": "Whether there is more", "filledInPassing": False},
        {"name": "phone", "kind": "phone", "description": "Where the team calls back"},
    ],
    "intents": [
        {
            "id": "leave",
            "name": "Never mind",
            "examples": _WAYS["leave"],
            "action": "go_to",
            "target": "more",
        },
        {
            "id": "operator",
            "name": "A person",
            "examples": _WAYS["operator"],
            "keys": "0",
            "action": "transfer",
        },
        {
            "id": "repeat",
            "name": "Say it again",
            "examples": _WAYS["repeat"],
            "keys": "9",
            "action": "repeat",
        },
    ],
    "nodes": [
        _node("desk", "subagent", 0, 200, "Front desk", systemPrompt=DEMO_INSTRUCTIONS),
        _node("book", "set", 380, 60, "New appointment", values={"wish": "A new appointment"}),
        _node(
            "when",
            "gather",
            760,
            60,
            "Day and time",
            prompt="I can't see the appointment book, but the team will call you back. Which day suits you?",
            variable="details",
            kind="text",
        ),
        _node("change", "set", 380, 340, "Change", values={"wish": "A change of an appointment"}),
        _node(
            "what",
            "gather",
            760,
            340,
            "What to change",
            prompt="I'll pass it on to the team. What should they change?",
            variable="details",
            kind="text",
        ),
        _node(
            "who", "gather", 1140, 200, "Name", prompt="What is your name?", variable="patient", kind="name"
        ),
        _node(
            "number",
            "gather",
            1520,
            200,
            "Number",
            prompt="Which number can we call you back on?",
            variable="phone",
            kind="phone",
            confirm="always",
        ),
        _node(
            "keep",
            "message",
            1900,
            200,
            "For the team",
            text="{{wish}}: {{details}}",
            name="{{patient}}",
            phone="{{phone}}",
        ),
        _node("noted", "say", 2280, 200, "Noted", text="Thank you. I have passed that on."),
        _node(
            "more",
            "gather",
            2660,
            340,
            "Anything else",
            prompt="Is there anything else I can help you with?",
            variable="more",
            kind="yes_no",
        ),
        _node("decide", "branch", 3040, 340, "Anything else?"),
        _node("how", "say", 3420, 200, "Go on", text="What else can I do for you?"),
        _node("bye", "end_call", 3420, 480, "Goodbye", message="Thank you for calling. Goodbye."),
    ],
    "edges": [
        _edge("desk", "book", "wants an appointment", examples=_asked("Booking an appointment")),
        _edge("desk", "change", "wants to change one", examples=_asked("Changing an appointment")),
        _edge("book", "when"),
        _edge("change", "what"),
        _edge("when", "who", outcome="done"),
        _edge("when", "who", outcome="failed"),
        _edge("what", "who", outcome="done"),
        _edge("what", "who", outcome="failed"),
        _edge("who", "number", outcome="done"),
        _edge("who", "number", outcome="failed"),
        _edge("number", "keep", outcome="done"),
        _edge("number", "keep", outcome="failed"),
        _edge("keep", "noted"),
        _edge("noted", "more"),
        _edge("more", "decide", outcome="done"),
        _edge("more", "bye", outcome="failed"),
        _edge("more", "book", "wants an appointment", examples=_asked("Booking an appointment")),
        _edge("more", "change", "wants to change one", examples=_asked("Changing an appointment")),
        _edge("decide", "how", when="more"),
        _edge("decide", "bye", otherwise=True),
        _edge("how", "desk"),
    ],
    "tests": [
        {
            "name": "What the clinic knows is answered",
            "turns": [
                {"expect": {"node": "desk", "said": "Harbour Street Clinic"}},
                {"say": "where can I park", "expect": {"node": "desk", "said": "behind the building"}},
            ],
        },
        {
            "name": "An appointment is asked for, with a question in between",
            "turns": [
                {"expect": {}},
                {"say": "can I book an appointment", "expect": {"node": "when", "by": "examples"}},
                {
                    "say": "Friday morning",
                    "expect": {"node": "who", "variables": {"details": "Friday morning"}},
                },
                {"say": "when are you open?", "expect": {"node": "who", "said": "What is your name?"}},
                {"say": "May Park", "expect": {"node": "number", "variables": {"patient": "May Park"}}},
                {"say": "415 555 0142", "expect": {"node": "number", "said": "Is that right?"}},
                {"say": "yes", "expect": {"node": "more", "said": "passed that on"}},
                {"say": "no thank you", "expect": {"node": "bye", "ended": True}},
            ],
        },
        {
            "name": "One is cancelled, and there is more",
            "turns": [
                {"expect": {}},
                {"say": "I need to cancel my appointment", "expect": {"node": "what"}},
                {"say": "the one on Monday", "expect": {"node": "who"}},
                {"say": "John Smith", "expect": {"node": "number"}},
                {"keys": "4155550142#", "expect": {"said": "Is that right?"}},
                {"say": "yes", "expect": {"node": "more"}},
                {"say": "yes please", "expect": {"node": "desk", "said": "What else"}},
                {"say": "do you take credit cards", "expect": {"node": "desk", "said": "by card"}},
            ],
        },
        {
            "name": "What was told is passed on, though the number was not understood",
            "turns": [
                {"expect": {}},
                {"say": "can I book an appointment", "expect": {"node": "when"}},
                {"say": "Friday morning", "expect": {"node": "who"}},
                {"say": "May Park", "expect": {"node": "number"}},
                *[{"say": "I don't know it by heart", "expect": {}}] * 2,
                {"say": "I don't know it by heart", "expect": {"node": "more", "said": "passed that on"}},
            ],
        },
        {
            "name": "Who wants it no more is let off",
            "turns": [
                {"expect": {}},
                {"say": "I need to cancel my appointment", "expect": {"node": "what"}},
                {"say": "never mind", "expect": {"node": "more"}},
            ],
        },
        {
            "name": "A person, from anywhere",
            "turns": [
                {"expect": {}},
                {"say": "can I book an appointment", "expect": {"node": "when"}},
                {"say": "let me talk to a human", "expect": {"transferredTo": DEMO_TRANSFER_NUMBER}},
            ],
        },
    ],
}
