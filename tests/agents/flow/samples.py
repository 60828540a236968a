"""Small flows in the exchange format, for tests."""

from __future__ import annotations

from typing import Any


def node(id: str, type: str, **data: Any) -> dict[str, Any]:
    return {"id": id, "type": type, "position": {"x": 0, "y": 0}, "data": data}


def edge(source: str, target: str, label: str = "", **condition: Any) -> dict[str, Any]:
    name = f"{source}>{target}" + (f":{condition.get('keys') or condition.get('outcome') or ''}")
    made: dict[str, Any] = {"id": name.rstrip(":"), "source": source, "target": target}
    if label:
        made["label"] = label
    if condition:
        made["condition"] = condition
    return made


def flow(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    nodes = [part for part in parts if "type" in part]
    edges = [part for part in parts if "source" in part]
    return {"name": "Sample", "nodes": nodes, "edges": edges, **more}


MENU = flow(
    node("hello", "say", text="Hello from {{clinic}}. Sales or support?"),
    node("sales", "say", text="You are with sales."),
    node("age", "gather", prompt="How old are you?", variable="age", kind="number"),
    node("old", "branch"),
    node("bye", "end_call", message="{{age}} it is. Goodbye."),
    node("young", "end_call", message="Come back later."),
    node("person", "phone_transfer", phoneNumber="+14155550111"),
    edge("hello", "sales", keys="1", examples=["I want to buy something", "sales please"]),
    edge("hello", "person", keys="2", examples=["something is broken", "support please"]),
    edge("sales", "age"),
    edge("age", "old", outcome="done"),
    edge("age", "person", outcome="failed"),
    edge("old", "bye", when="age >= 18"),
    edge("old", "young", otherwise=True),
)

EVERY_KIND = flow(
    node("hello", "say", label="Greeting", text="Welcome to the clinic. Appointments, or something else?"),
    node("who", "gather", label="Name", prompt="What is your name?", variable="name", kind="name"),
    node("when", "gather", prompt="Which day suits you?", variable="day", kind="date"),
    node(
        "part",
        "gather",
        prompt="Morning or afternoon?",
        variable="part",
        kind="choice",
        options=[
            {"value": "morning", "phrases": ["before noon"], "key": "1"},
            {"value": "afternoon", "key": "2"},
        ],
    ),
    node("book", "tool", toolName="book", parameters={"day": "{{day}}", "seats": 1}),
    node("done", "set", values={"booked": "yes", "left": "= 3 - 1"}),
    node("free", "branch", label="Booked?"),
    node("talk", "subagent", label="Questions", systemPrompt="Answer questions about the clinic."),
    node("survey", "subflow", flowId="survey"),
    node("keys", "send_digits", digits="1,2#"),
    node("pause", "wait", seconds=2),
    node("desk", "phone_transfer", phoneNumber="+14155550111", message="One moment."),
    node("night", "agent_transfer", targetAgentId="front-desk"),
    node("bye", "end_call", message="Goodbye, {{name}}."),
    node("why", "note", text="The clinic wants names first."),
    edge("hello", "who", keys="1", examples=["I want an appointment", "book a visit"]),
    edge("hello", "talk", examples=["I have a question"]),
    edge("hello", "desk", otherwise=True),
    edge("who", "when", outcome="done"),
    edge("who", "desk", outcome="failed"),
    edge("when", "part", outcome="done"),
    edge("when", "desk", outcome="failed"),
    edge("part", "book"),
    edge("book", "done", outcome="success"),
    edge("book", "when", outcome="failure"),
    edge("done", "free"),
    edge("free", "survey", when="left > 0"),
    edge("free", "keys", otherwise=True),
    edge("survey", "bye"),
    edge("keys", "pause"),
    edge("pause", "night"),
    edge("talk", "bye", "the caller has no more questions"),
    name="Every kind of step",
    description="All that a flow can do.",
    variables=[{"name": "season", "kind": "text", "initial": "summer"}],
    intents=[
        {"id": "operator", "name": "Operator", "examples": ["a person"], "action": "go_to", "target": "desk"}
    ],
)
