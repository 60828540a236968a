"""The models that come from the Hugging Face hub, most of them for a GPU (contracts.md, section 2).

`main` stands for the commit that is found at the download, which is then kept and told with the model.
"""

from __future__ import annotations

from .entry import WEIGHTS_AND_SETTINGS, Kind, Model, Source
from .entry import translated_when_shown as _
from .languages import CHATTERBOX, INDIC, MMS, PARLER, WHISPER

_HUB = "mlservices.prepare.hub.prepare"


def _hub(name: str, *patterns: str, also: tuple[Source, ...] = ()) -> Source:
    return Source(hub=name, revision="main", patterns=patterns or WEIGHTS_AND_SETTINGS, also=also)


def _whole_digits(millions: int, *, kept_mb: int = 0) -> int:
    """MB on processors, where all runs in float32.

    Four bytes for each of so many million parameters (of all that is loaded, codecs among them), 1,000 MB for
    the libraries and for what a request needs, and what is kept between requests.
    """
    return 4 * millions + 1000 + kept_mb


# What reads the descriptions that Parler's voices follow: its tokenizer alone.
_READER = _hub("google/flan-t5-large", "tokenizer*.json", "special_tokens_map.json", "*.model")


def _mms(code: str, language: str, name: str) -> Model:
    return Model(
        id=f"mms-tts-{code}",
        name=f"MMS {name} (VITS)",
        kind=Kind.TTS,
        pool="hf_tts",
        engine="mlservices.engines.tts.transformers_vits.TransformersVits",
        recipe=_HUB,
        source=_hub(f"facebook/mms-tts-{code}"),
        memory_mb=620,
        disk_mb=400,
        languages=(language,),
        licence="CC-BY-NC-4.0",
        commercial_use=False,
        rate=16000,
        extra="transformers",
        size="36M",
        priority=3,
    )


HUB: tuple[Model, ...] = (
    Model(
        id="whisper-large-v3-turbo",
        name="Whisper Large V3 Turbo (transformers)",
        kind=Kind.STT,
        pool="stt",
        engine="mlservices.engines.stt.transformers_whisper.TransformersWhisper",
        recipe=_HUB,
        source=_hub("openai/whisper-large-v3-turbo"),
        memory_mb=6000,
        disk_mb=1700,
        languages=WHISPER,
        licence="MIT",
        commercial_use=True,
        rate=16000,
        extra="transformers",
        size="809M",
        gpu=True,
        cpu_memory_mb=_whole_digits(809),
        at_start=True,
        priority=9,
    ),
    Model(
        id="whisper-large-v3-turbo-ct2",
        name="Whisper Large V3 Turbo (CTranslate2)",
        kind=Kind.STT,
        pool="stt",
        engine="mlservices.engines.stt.whisper.Whisper",
        recipe="mlservices.prepare.whisper_hub.prepare",
        source=_hub("openai/whisper-large-v3-turbo"),
        memory_mb=2000,
        disk_mb=3400,
        languages=WHISPER,
        licence="MIT",
        commercial_use=True,
        rate=16000,
        extra="transformers",
        size="809M",
        gpu=True,
        cpu_memory_mb=1500,  # in 8 bits
        priority=8,
        note=_("Converted after the download, which takes transformers; running it does not."),
    ),
    Model(
        id="chatterbox",
        name="Chatterbox Multilingual",
        kind=Kind.TTS,
        pool="tts",
        engine="mlservices.engines.tts.chatterbox.Chatterbox",
        recipe=_HUB,
        source=_hub(
            "ResembleAI/chatterbox",
            "ve.pt",
            "t3_mtl23ls_v2.safetensors",
            "s3gen.pt",
            "grapheme_mtl_merged_expanded_v1.json",
            "conds.pt",
            "Cangjie5_TC.json",
        ),
        memory_mb=2000,
        disk_mb=3500,
        languages=CHATTERBOX,
        licence="MIT",
        commercial_use=True,
        rate=24000,
        extra="transformers",
        size="500M",
        cloning=True,
        gpu=True,
        cpu_memory_mb=_whole_digits(810),
        at_start=True,
        priority=7,
        environment="chatterbox",
    ),
    Model(
        id="higgs_audio_v2",
        name="Higgs Audio V2",
        kind=Kind.TTS,
        pool="tts",
        engine="mlservices.engines.tts.higgs.Higgs",
        recipe="mlservices.prepare.higgs.prepare",
        source=_hub(
            "bosonai/higgs-audio-v2-generation-3B-base", also=(_hub("eustlb/higgs-audio-v2-tokenizer"),)
        ),
        memory_mb=8000,
        disk_mb=13000,
        languages=("en", "zh", "de", "ko", "es", "fr", "it", "ja"),
        licence=_(
            "Boson Higgs Audio 2 Community License; commercial use up to 100,000 users a year, more needs a "
            "licence from Boson AI"
        ),
        commercial_use=True,
        rate=24000,
        extra="transformers",
        size="3B",
        cloning=True,
        gpu=True,
        cpu_memory_mb=_whole_digits(5900),
        at_start=True,
        priority=6,
        environment="higgs",
        note=_("Its weights are kept in 8 bits, which takes less memory."),
    ),
    Model(
        id="styletts2",
        name="StyleTTS 2 (LibriTTS)",
        kind=Kind.TTS,
        pool="tts",
        engine="mlservices.engines.tts.styletts2.StyleTts2",
        recipe="mlservices.prepare.styletts2.prepare",
        source=_hub(
            "yl4579/StyleTTS2-LibriTTS",
            "Models/LibriTTS/config.yml",
            "Models/LibriTTS/epochs_2nd_00020.pth",
            "reference_audio.zip",
        ),
        memory_mb=1000,
        disk_mb=1700,
        languages=("en",),
        licence=_("MIT; listeners must be told that the speech is made by a machine"),
        commercial_use=True,
        rate=24000,
        extra="transformers",
        size="100M",
        cloning=True,
        gpu=True,
        cpu_memory_mb=_whole_digits(150),
        at_start=True,
        priority=5,
        environment="styletts2",
    ),
    Model(
        id="indic-parler-tts",
        name="Indic Parler-TTS",
        kind=Kind.TTS,
        pool="hf_tts",
        engine="mlservices.engines.tts.parler.Parler",
        recipe="mlservices.prepare.parler.prepare",
        source=_hub("ai4bharat/indic-parler-tts", also=(_READER,)),
        memory_mb=3000,
        disk_mb=4000,
        languages=INDIC,
        licence="Apache-2.0",
        commercial_use=True,
        rate=44100,
        extra="transformers",
        size="630M",
        gpu=True,
        cpu_memory_mb=_whole_digits(940),
        at_start=True,
        priority=6,
        environment="parler",
        note=_("The hub asks who downloads it: accept its conditions there and set HF_TOKEN."),
    ),
    Model(
        id="parler-tts-multilingual",
        name="Parler-TTS Mini Multilingual 1.1",
        kind=Kind.TTS,
        pool="hf_tts",
        engine="mlservices.engines.tts.parler.Parler",
        recipe="mlservices.prepare.parler.prepare",
        source=_hub("parler-tts/parler-tts-mini-multilingual-v1.1", also=(_READER,)),
        memory_mb=3000,
        disk_mb=4000,
        languages=PARLER,
        licence="Apache-2.0",
        commercial_use=True,
        rate=44100,
        extra="transformers",
        size="880M",
        gpu=True,
        cpu_memory_mb=_whole_digits(940),
        at_start=True,
        priority=6,
        environment="parler",
    ),
    Model(
        id="llama-3.1-8b-instruct",
        name="Llama 3.1 8B Instruct (transformers)",
        kind=Kind.LLM,
        pool="vllm",
        engine="mlservices.engines.llm.llama.Llama",
        recipe=_HUB,
        source=_hub("meta-llama/Llama-3.1-8B-Instruct"),
        memory_mb=8000,
        disk_mb=16500,
        languages=("en", "de", "fr", "it", "pt", "hi", "es", "th"),
        licence="Llama 3.1 Community License",
        commercial_use=True,
        extra="transformers",
        size="8B",
        gpu=True,
        cpu_memory_mb=_whole_digits(8030, kept_mb=2100),
        at_start=True,
        priority=8,
        environment="llama",
        note=_("The hub asks who downloads it: accept its conditions there and set HF_TOKEN. In 8 bits."),
    ),
    *(_mms(code, language, name) for code, (language, name) in MMS.items()),
)
