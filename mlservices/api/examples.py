"""What the models' part of the API answers, as its description shows it."""

from __future__ import annotations

from typing import Any

SOUND = "UklGRi4AAABXQVZFZm10IBAAAAABAAEAgD4AAAB9AAACABAAZGF0YQIAAAAAAA=="  # a WAV of one sample
_BY = {"engine": "piper-joe", "degraded": False}
SPOKEN = {"audio_base64": SOUND, "duration": 1.24, **_BY}
HEARD = {
    "text": "When are you open?",
    "language": "en",
    "confidence": 0.93,
    "duration": 1.6,
    "segments": [{"start": 0.1, "end": 1.5, "text": "When are you open?", "confidence": 0.93}],
    "engine": "whisper-tiny.en",
    "degraded": False,
    "queue_seconds": 0.002,
    "compute_seconds": 0.31,
}
DETECTED = {"segments": [{"start": 0.1, "end": 1.5, "confidence": 0.98}]}
ANSWERED = {
    "response": "From nine to five, Monday to Friday.",
    "session_id": "one",
    "mode": "assistant",
    "model": "smollm2-135m",
    "engine": "smollm2-135m",
    "degraded": False,
    "processing_time": 0.84,
    "context_size": 1,
    "tokens": 12,
}
VOICES = {
    "voices": [
        {
            "id": "piper-joe",
            "name": "Joe",
            "languages": ["en"],
            "note": "",
            "language": "en",
            "gender": "male",
            "licence": "CC0",
            "commercial_use": False,
        }
    ],
    "languages": ["en"],
}
LIBRARY = {
    "voices": [
        {
            "id": "en-us-sarah-f",
            "name": "Sarah",
            "language": "en-US",
            "gender": "female",
            "description": "Friendly and clear, at home at any front desk.",
            "models": ["parler-tts-multilingual", "indic-parler-tts"],
        }
    ]
}
MODEL: dict[str, Any] = {
    "id": "chatterbox",
    "name": "Chatterbox",
    "kind": "tts",
    "pool": "tts",
    "engine": "mlservices.engines.tts.chatterbox.Chatterbox",
    "recipe": "",
    "source": {"hub": "ResembleAI/chatterbox"},
    "memory_mb": 2000,
    "disk_mb": 3000,
    "languages": ["en", "de", "fr"],
    "licence": "MIT",
    "commercial_use": True,
    "rate": 24000,
    "extra": "chatterbox",
    "note": "",
    "size": "500M",
    "cloning": True,
    "gpu": True,
    "cpu_memory_mb": 4000,
    "at_start": False,
    "priority": 5,
    "environment": "",
    "configured": True,
    "state": "downloading",
    "reason": "",
    "files": {
        "state": "downloading",
        "done_bytes": 730_000_000,
        "total_bytes": 3_000_000_000,
        "bytes_per_second": 21_000_000.0,
        "seconds_left": 108.0,
        "reason": "",
        "commit": "",
        "size_bytes": 0,
        "by": "alice",
        "interrupted": False,
    },
    "service": None,
}
MODELS = {
    "available_models": {"tts": {"name": "piper-joe", "type": "tts", "status": "loaded"}},
    "chat_models": [{"id": "smollm2-135m", "name": "SmolLM2 135M"}],
    "streaming": ["/api/tts", "/ws/stt"],
    "models": [MODEL],
    "devices": [],
}
_SUMS = {
    "requests": 41,
    "failed": 1,
    "refused": 0,
    "degraded": 0,
    "estimated": 0,
    "amount": 3280.0,
    "cost": "0.04920000",
    "unit": "characters",
    "mean_first_piece_ms": 84,
}
USED = {
    "from": "2026-03-01",
    "to": "2026-03-05",
    "group": "day",
    "currency": "USD",
    "rows": [{"day": "2026-03-05", "service": "tts", **_SUMS}],
    "totals": [{"service": "tts", **_SUMS}],
}
HEALTH = {
    "status": "healthy",
    "timestamp": "2026-03-05T14:30:00Z",
    "models": {"whisper-tiny.en": "loaded", "piper-joe": "loaded"},
}
