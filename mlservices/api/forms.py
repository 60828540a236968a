"""What the API takes, checked field by field."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from .. import audio
from ..service.forms import Mode, faults
from .answers import invalid
from .sound import HEARD_RATE, Format

LONGEST_TEXT = 5000  # characters


def _without_null(text: str) -> str:
    if "\0" in text:
        raise ValueError("a null character cannot be spoken")
    return text


def _of_words(text: str) -> str:
    if not text.strip():
        raise ValueError("there are no words in it")
    return _without_null(text)


Text = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT), AfterValidator(_of_words)]
ModelId = Annotated[str, Field(max_length=100)]
Language = Annotated[str, Field(min_length=2, max_length=16, pattern=r"^[A-Za-z][A-Za-z0-9-]*$")]


class SpeakForm(BaseModel):
    text: Text
    voice: str = Field("default", max_length=100)
    speed: float = Field(1.0, ge=0.5, le=2.0)
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
    threshold: float = Field(0.5, ge=0.05, le=0.95)


class ChatForm(BaseModel):
    session_id: str = Field(min_length=1, max_length=200)
    message: Text
    mode: Mode = "assistant"
    system_prompt: Annotated[str, AfterValidator(_without_null)] = Field("", max_length=20000)
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
