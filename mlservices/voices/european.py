"""Voices of Europe and Latin America, but for English."""

from __future__ import annotations

from ..catalog.entry import translated_when_shown as _
from .entry import Voice, group

EUROPEAN: tuple[Voice, ...] = (
    *group(
        "de",
        "de",
        [
            (
                "anna-f",
                "Anna",
                _("Friendly and clear, for practices and offices."),
                "Anna speaks in a friendly, clear voice of medium pitch, at a moderate pace. "
                "The recording is very clear and close, with no background noise.",
            ),
            (
                "lukas-m",
                "Lukas",
                _("Young and approachable, for shops and start-ups."),
                "Lukas has a young, approachable voice, slightly high for a man, and speaks rather fast. "
                "Clean audio, close to the microphone.",
            ),
            (
                "marie-f",
                "Marie",
                _("Soft and patient, good with older callers."),
                "Marie speaks slowly in a soft, patient, slightly low voice and articulates every word. "
                "Studio quality, with no reverberation.",
            ),
            (
                "felix-m",
                "Felix",
                _("Matter-of-fact and precise, for technical support."),
                "Felix speaks precisely in a matter-of-fact, slightly deep voice, at a moderate pace. "
                "Very high quality audio, dry and clear.",
            ),
            (
                "lena-f",
                "Lena",
                _("Lively and bright, for bookings and events."),
                "Lena's voice is lively and bright, rather high, with animated intonation, quite fast. "
                "A very clear recording without noise.",
            ),
        ],
    ),
    *group(
        "fr",
        "fr",
        [
            (
                "camille-f",
                "Camille",
                _("Elegant and attentive, for hotels and boutiques."),
                "Camille speaks in an elegant, attentive voice of medium pitch with flowing intonation. "
                "Studio recording, very clear and close.",
            ),
            (
                "louis-m",
                "Louis",
                _("Serious and courteous, for banks and public offices."),
                "Louis has a deep, courteous voice and speaks seriously and slowly. "
                "The audio is very clean, with no background noise.",
            ),
            (
                "amelie-f",
                "Amélie",
                _("Light and cheerful, for restaurants and travel."),
                "Amélie speaks fast in a light, cheerful, high-pitched voice, very expressively. "
                "The recording is clear and close-sounding.",
            ),
            (
                "julien-m",
                "Julien",
                _("Relaxed and warm, for advice and sales."),
                "Julien's voice is relaxed and warm, of medium pitch, with a smile in it. "
                "High quality audio with very little reverberation.",
            ),
            (
                "lea-f",
                "Léa",
                _("Calm and gentle, for clinics."),
                "Léa speaks calmly in a gentle, slightly low voice, a little slowly. "
                "Very clear audio without any noise.",
            ),
        ],
    ),
    *group(
        "es",
        "es",
        [
            (
                "sofia-f",
                "Sofía",
                _("Warm and lively, for reception."),
                "Sofía speaks in a warm, lively voice of medium pitch with a Castilian accent. "
                "The recording is very clear and close.",
            ),
            (
                "carlos-m",
                "Carlos",
                _("Firm and confident, for sales and collections."),
                "Carlos has a firm, confident, deep voice with a Castilian accent and an even pace. "
                "Excellent audio quality, with no background noise.",
            ),
            (
                "lucia-f",
                "Lucía",
                _("Young and quick, for orders and deliveries."),
                "Lucía speaks quickly in a young, high-pitched, animated voice with a Castilian accent. "
                "Clean audio, close to the microphone.",
            ),
            (
                "diego-m",
                "Diego",
                _("Easy-going and clear, for everyday questions."),
                "Diego's voice is easy-going and clear, of medium pitch, with a Castilian accent. "
                "The recording is dry and very clear.",
            ),
        ],
    ),
    *group(
        "es-mx",
        "es-MX",
        [
            (
                "valentina-f",
                "Valentina",
                _("Sweet and polite, for customer service."),
                "Valentina speaks in a sweet, polite, slightly high voice with a Mexican accent, at a "
                "moderate pace. Very clear audio without noise.",
            ),
            (
                "miguel-m",
                "Miguel",
                _("Hearty and helpful, for support lines."),
                "Miguel has a hearty, helpful, slightly deep voice with a Mexican accent, expressively. "
                "Studio quality, close-sounding.",
            ),
        ],
    ),
    *group(
        "it",
        "it",
        [
            (
                "giulia-f",
                "Giulia",
                _("Radiant and expressive, for restaurants and hotels."),
                "Giulia speaks with great expression in a radiant, rather high voice, quite fast. "
                "The recording is very clear, with no reverberation.",
            ),
            (
                "marco-m",
                "Marco",
                _("Self-assured and warm, for sales and advice."),
                "Marco's voice is self-assured and warm, slightly deep, at a moderate pace. "
                "High quality audio, close to the microphone.",
            ),
            (
                "alessandra-f",
                "Alessandra",
                _("Refined and calm, for practices and law firms."),
                "Alessandra speaks calmly in a refined, low-pitched voice, with measured phrases. "
                "Studio recording without noise.",
            ),
            (
                "lorenzo-m",
                "Lorenzo",
                _("Spirited and friendly, for events and leisure."),
                "Lorenzo has a spirited, friendly voice of medium pitch and speaks fast, with a smile. "
                "The audio is clean and close.",
            ),
        ],
    ),
    *group(
        "pt-br",
        "pt-BR",
        [
            (
                "ana-f",
                "Ana",
                _("Affectionate and clear, for clinics and schools."),
                "Ana speaks in an affectionate, clear voice of medium pitch with a Brazilian accent. "
                "Very clear recording with no background noise.",
            ),
            (
                "pedro-m",
                "Pedro",
                _("Cheerful and direct, for shops and services."),
                "Pedro has a cheerful, direct voice with a Brazilian accent and speaks rather fast. "
                "High quality audio with little reverberation.",
            ),
            (
                "isabela-f",
                "Isabela",
                _("Smooth and professional, for banks and insurers."),
                "Isabela's voice is smooth and professional, slightly low, with a Brazilian accent, evenly "
                "paced. Studio quality, very clear.",
            ),
        ],
    ),
    *group(
        "pt-pt",
        "pt-PT",
        [
            (
                "maria-f",
                "Maria",
                _("Considerate and calm, for public services."),
                "Maria speaks calmly in a considerate voice of medium pitch with a European Portuguese "
                "accent. The recording is very clear and close.",
            ),
            (
                "joao-m",
                "João",
                _("Sober and reliable, for support lines."),
                "João has a sober, reliable, slightly deep voice with a European Portuguese accent, at a "
                "moderate pace. Clean audio without noise.",
            ),
        ],
    ),
    *group(
        "nl",
        "nl",
        [
            (
                "lisa-f",
                "Lisa",
                _("Open and brisk, for appointments and orders."),
                "Lisa speaks briskly in an open, clear voice, slightly high, with lively intonation. "
                "Very clear, close-sounding audio.",
            ),
            (
                "thomas-m",
                "Thomas",
                _("Down-to-earth and calm, for technical support."),
                "Thomas has a calm, down-to-earth voice of medium pitch and speaks evenly. "
                "The recording is dry and of high quality.",
            ),
        ],
    ),
    *group(
        "pl",
        "pl",
        [
            (
                "zofia-f",
                "Zofia",
                _("Courteous and bright, for reception."),
                "Zofia speaks courteously in a bright, slightly high voice, at a moderate pace. "
                "Studio recording, with no background noise.",
            ),
            (
                "adam-m",
                "Adam",
                _("Deep and composed, for formal calls."),
                "Adam has a deep, composed voice and speaks slowly and distinctly. "
                "Very clear audio, close to the microphone.",
            ),
        ],
    ),
)
