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
