"""A visual flow as data: nodes, edges, variables; read from its exchange format and checked."""

from .flow import Edge, Flow, Intent, Variable
from .node_checks import Known
from .nodes import Node
from .problems import Problem, Severity
from .reading import FlowError, read, read_text
from .scripted import Expected, ScriptedTest, ScriptedTurn
from .validation import problems_of

__all__ = [
    "Edge",
    "Expected",
    "Flow",
    "FlowError",
    "Intent",
    "Known",
    "Node",
    "Problem",
    "ScriptedTest",
    "ScriptedTurn",
    "Severity",
    "Variable",
    "problems_of",
    "read",
    "read_text",
]
