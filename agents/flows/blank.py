"""The flow that a new one begins as."""

from typing import Any

BLANK: dict[str, Any] = {
    "name": "",
    "description": "",
    "start": "hello",
    "nodes": [
        {
            "id": "hello",
            "type": "say",
            "position": {"x": 0, "y": 0},
            "data": {"label": "Greeting", "text": "Hello, this is {{agent_name}}."},
        },
        {
            "id": "bye",
            "type": "end_call",
            "position": {"x": 360, "y": 0},
            "data": {"label": "Goodbye", "message": "Thank you for calling. Goodbye."},
        },
    ],
    "edges": [{"id": "hello-bye", "source": "hello", "target": "bye"}],
}
