"""Russian, Japanese, Korean and Mandarin voices: languages that Parler-TTS does not speak."""

from __future__ import annotations

from ..catalog.entry import translated_when_shown as _
from .entry import Voice, group

EASTERN: tuple[Voice, ...] = (
    *group(
        "ru",
        "ru",
        [
            (
                "anastasia-f",
                "Anastasia",
                _("Clear and cordial, for reception and support."),
                "Anastasia speaks in a clear, cordial voice of medium pitch, at a moderate pace. "
                "The recording is very clear and close.",
            ),
            (
                "dmitry-m",
                "Dmitry",
                _("Low and businesslike, for formal calls."),
                "Dmitry has a low, businesslike voice and speaks evenly, with little expression. "
                "Studio quality, with no background noise.",
            ),
        ],
    ),
    *group(
        "ja",
        "ja",
        [
            (
                "yuki-f",
                "Yuki",
                _("Polite and bright, for customer service."),
                "Yuki speaks politely in a bright, high-pitched voice with soft endings. "
                "Very clear audio without reverberation.",
            ),
            (
                "hiroshi-m",
                "Hiroshi",
                _("Respectful and calm, for business calls."),
                "Hiroshi has a calm, respectful, slightly deep voice and speaks slowly. "
                "The recording is clean and close.",
            ),
        ],
    ),
    *group(
        "ko",
        "ko",
        [
            (
                "seo-yeon-f",
                "Seo-yeon",
                _("Gentle and courteous, for clinics and hotels."),
                "Seo-yeon speaks gently in a courteous, slightly high voice, at a moderate pace. "
                "High quality audio without noise.",
            ),
            (
                "min-jun-m",
                "Min-jun",
                _("Young and clear, for shops and deliveries."),
                "Min-jun has a young, clear voice of medium pitch and speaks moderately fast. "
                "The recording is close and very clear.",
            ),
        ],
    ),
    *group(
        "zh",
        "zh",
        [
            (
                "ling-f",
                "Ling",
                _("Pleasant and lively, for service lines."),
                "Ling speaks in a pleasant, lively voice, rather high, with clear tones. "
                "Studio recording, close-sounding.",
            ),
            (
                "wei-m",
                "Wei",
                _("Steady and serious, for banks and public offices."),
                "Wei has a steady, serious, slightly deep voice and speaks at an even pace. "
                "Very clear audio with no background noise.",
            ),
        ],
    ),
)
