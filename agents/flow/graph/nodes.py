"""The kinds of node, and what each holds in its `data`: names in JSON are camelCase, in Python snake_case.

A draft may be half-written, so texts may be empty here; `validation` says what a call would miss.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from ..slots.kinds import Confirm
from ..slots.kinds import Kind as SlotKind

VariableKind = Literal["text", "number", "yes_no", "date", "time", "datetime", "phone", "email"]

Fraction = Annotated[float, Field(ge=0, le=1)]
Speed = Annotated[float, Field(ge=0.5, le=2)]


class Part(BaseModel):
    """A piece of a flow. What it does not know is kept and given back, and told as a warning."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, frozen=True, extra="allow"
    )


class Position(Part):
    x: float = 0
    y: float = 0


class Data(Part):
    """What any node may say of itself; None leaves it to the agent."""

    label: str = Field("", max_length=80)
    interruptible: bool | None = None  # whether the caller may speak over it
    turn_eagerness: Fraction | None = None  # how soon a pause ends the caller's turn
    timeout: float | None = Field(None, ge=1, le=120)  # seconds of silence until it asks again
    speed: Speed | None = None  # of the voice


class SubagentData(Data):
    system_prompt: str = Field("", max_length=20_000)
    opening: str = Field("", max_length=2_000)  # said as it begins; "" listens at once
    tools: tuple[str, ...] = ()
    knowledge_base: str | None = None
    turn_eagerness: Fraction | None = 0.5


class SayData(Data):
    text: str = Field("", max_length=2_000)


class Option(Part):
    value: str = Field("", max_length=80)
    label: str = Field("", max_length=80)
    phrases: tuple[str, ...] = ()
    key: str = Field("", max_length=4)


class GatherData(Data):
    """Asks for one value and keeps it in `variable`."""

    variable: str = ""
    kind: SlotKind = "text"
    prompt: str = Field("", max_length=2_000)
    retry_prompt: str = Field("", max_length=2_000)
    options: tuple[Option, ...] = ()
    min_digits: int = Field(1, ge=1, le=40)
    max_digits: int = Field(20, ge=1, le=40)
    minimum: float | None = None
    maximum: float | None = None
    must_be_future: bool = False
    confirm: Confirm = "unsure"
    attempts: int = Field(3, ge=1, le=10)


class BranchData(Data):
    pass


class SetData(Data):
    """`values` by variable: a text with {{placeholders}}, or "= expression"."""

    values: dict[str, str] = Field(default_factory=dict)


class SendDigitsData(Data):
    digits: str = Field("", max_length=80)


class MessageData(Data):
    """Kept for the people of the company, with who is to be called back: texts with {{placeholders}}."""

    text: str = Field("", max_length=2_000)
    name: str = Field("", max_length=200)
    phone: str = Field("", max_length=200)


class WaitData(Data):
    seconds: float = Field(1, ge=0.1, le=60)


class SubflowData(Data):
    flow_id: str = ""


class ToolData(Data):
    tool_name: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)  # texts in it may hold {{placeholders}}
    filler: str = Field("", max_length=300)  # said while the caller waits
    on_success: str | None = None
    on_failure: str | None = None


class AgentTransferData(Data):
    target_agent_id: str = ""
    context: str | None = Field(None, max_length=2_000)


class PhoneTransferData(Data):
    phone_number: str = ""
    message: str | None = Field(None, max_length=2_000)


class EndCallData(Data):
    message: str | None = Field(None, max_length=2_000)
    save_transcript: bool = True


class NoteData(Data):
    text: str = Field("", max_length=5_000)


class _Node(Part):
    id: str = Field(min_length=1, max_length=80)
    position: Position = Position()


class Subagent(_Node):
    type: Literal["subagent"]
    data: SubagentData = SubagentData()


class Say(_Node):
    type: Literal["say"]
    data: SayData = SayData()


class Gather(_Node):
    type: Literal["gather"]
    data: GatherData = GatherData()


class Branch(_Node):
    type: Literal["branch"]
    data: BranchData = BranchData()


class Set(_Node):
    type: Literal["set"]
    data: SetData = SetData()


class SendDigits(_Node):
    type: Literal["send_digits"]
    data: SendDigitsData = SendDigitsData()


class Message(_Node):
    type: Literal["message"]
    data: MessageData = MessageData()


class Wait(_Node):
    type: Literal["wait"]
    data: WaitData = WaitData()


class Subflow(_Node):
    type: Literal["subflow"]
    data: SubflowData = SubflowData()


class Tool(_Node):
    type: Literal["tool"]
    data: ToolData = ToolData()


class AgentTransfer(_Node):
    type: Literal["agent_transfer"]
    data: AgentTransferData = AgentTransferData()


class PhoneTransfer(_Node):
    type: Literal["phone_transfer"]
    data: PhoneTransferData = PhoneTransferData()


class EndCall(_Node):
    type: Literal["end_call"]
    data: EndCallData = EndCallData()


class Note(_Node):
    """Words for whoever reads the flow; no call comes by."""

    type: Literal["note"]
    data: NoteData = NoteData()


Node = (
    Subagent
    | Say
    | Gather
    | Branch
    | Set
    | SendDigits
    | Message
    | Wait
    | Subflow
    | Tool
    | AgentTransfer
    | PhoneTransfer
    | EndCall
    | Note
)
TYPES: dict[str, type[Node]] = {
    "subagent": Subagent,
    "say": Say,
    "gather": Gather,
    "branch": Branch,
    "set": Set,
    "tool": Tool,
    "agent_transfer": AgentTransfer,
    "phone_transfer": PhoneTransfer,
    "end_call": EndCall,
    "send_digits": SendDigits,
    "message": Message,
    "wait": Wait,
    "subflow": Subflow,
    "note": Note,
}

# After which the flow is done with the call.
ENDS = (AgentTransfer, PhoneTransfer, EndCall)
# How else than well a node may end: the outcomes that an edge can ask for.
OUTCOMES: dict[str, tuple[str, ...]] = {
    "gather": ("done", "failed"),
    "tool": ("success", "failure"),
}
