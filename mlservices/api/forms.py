"""What the API takes, checked field by field."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from .. import audio
from ..fields import Mode, SessionId, Speed, Text, Threshold, Unbroken
from ..service.forms import faults
from .answers import invalid
from .sound import HEARD_RATE, Format


def _of_words(text: str) -> str:
    if not text.strip():
        raise ValueError("there are no words in it")
    return text


Words = Annotated[Text, AfterValidator(_of_words)]
ModelId = Annotated[str, Field(max_length=100)]
Language = Annotated[str, Field(min_length=2, max_length=16, pattern=r"^[A-Za-z][A-Za-z0-9-]*$")]


class SpeakForm(BaseModel):
    text: Words
    voice: str = Field("default", max_length=100)
    speed: Speed = 1.0
    model: ModelId = ""
    format: Format = "wav"
    stream: bool = False


class HearForm(BaseModel):
    """Of sound that is sent as a file; `format` and `rate` are needed for raw pcm alone."""

    format: Literal["wav", "flac", "ogg", "mp3", "pcm", ""] = ""
    rate: int = Field(HEARD_RATE, ge=audio.RATES[0], le=audio.RATES[1])


class TranscribeForm(HearForm):
    language: Language = "en"
    model: ModelId = ""


class DetectForm(HearForm):
    threshold: Threshold = 0.5


class ChatForm(BaseModel):
    session_id: SessionId
    message: Words
    mode: Mode = "assistant"
    system_prompt: Annotated[str, Field(max_length=20000), Unbroken] = ""
    model: ModelId = ""


class ListenForm(BaseModel):
    """The first message of `/ws/stt`."""

    apiKey: str = Field("", max_length=100)
    language: Language = "en"
    rate: int = Field(HEARD_RATE, ge=audio.RATES[0], le=audio.RATES[1])
    model: ModelId = ""


AnyForm = TypeVar("AnyForm", bound=BaseModel)


def checked(form: type[AnyForm], fields: dict[str, Any]) -> AnyForm:
    """Refused, with a sentence for each field that is wrong."""
    try:
        return form.model_validate(fields)
    except ValidationError as error:
        raise invalid(**faults(error.errors())) from None
