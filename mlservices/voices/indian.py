"""Voices of India, for Indic Parler-TTS."""

from __future__ import annotations

from ..catalog.entry import translated_when_shown as _
from .entry import Voice, group

INDIAN: tuple[Voice, ...] = (
    *group(
        "hindi",
        "hi",
        [
            (
                "aditi-f",
                "Aditi",
                _("Warm and patient, for callers who need a moment."),
                "Aditi speaks in a warm, slightly low voice at a slow, even pace, with gentle expression. "
                "The recording is very clear and close, without any background noise.",
            ),
            (
                "rahul-m",
                "Rahul",
                _("Friendly and quick, for bookings and orders."),
                "Rahul speaks fast in a friendly, lively voice of medium pitch, clearly smiling. "
                "The audio is of very high quality and sounds close to the microphone.",
            ),
            (
                "priya-f",
                "Priya",
                _("Bright and cheerful, a welcome at the front desk."),
                "Priya's high-pitched voice is bright and cheerful, very expressive, at a moderate pace. "
                "The recording is clean and dry, with no reverberation.",
            ),
            (
                "vikram-m",
                "Vikram",
                _("Deep and composed, for banks and insurers."),
                "Vikram speaks with a deep, composed and serious voice, slowly and with clear pauses. "
                "Studio recording, very clear, with no noise at all.",
            ),
        ],
    ),
    *group(
        "tamil",
        "ta",
        [
            (
                "lakshmi-f",
                "Lakshmi",
                _("Motherly and calm, good with worried callers."),
                "Lakshmi speaks calmly in a soft, low-pitched voice, slowly and warmly. "
                "The recording is very clear, close-sounding and free of noise.",
            ),
            (
                "kumar-m",
                "Kumar",
                _("Plain and dependable, for service lines."),
                "Kumar's voice is of medium pitch, steady and matter-of-fact, at a moderate pace. "
                "The audio quality is excellent, with very little reverberation.",
            ),
            (
                "meena-f",
                "Meena",
                _("Young and brisk, for deliveries and appointments."),
                "Meena speaks briskly in a young, slightly high voice with light, animated intonation. "
                "A clear recording made close to the microphone.",
            ),
        ],
    ),
    *group(
        "telugu",
        "te",
        [
            (
                "anjali-f",
                "Anjali",
                _("Gentle and clear, easy to understand on a bad line."),
                "Anjali speaks slowly in a gentle, clear voice of medium pitch and articulates every word. "
                "Very clear audio without background noise.",
            ),
            (
                "ravi-m",
                "Ravi",
                _("Confident and warm, for sales and advice."),
                "Ravi speaks with a confident, warm, slightly deep voice at a moderate pace, expressively. "
                "The recording is of high quality and close.",
            ),
            (
                "sita-f",
                "Sita",
                _("Formal and polite, for public offices."),
                "Sita's voice is polite and formal, slightly high, with an even tone and measured pace. "
                "Studio quality, with no reverberation.",
            ),
        ],
    ),
    *group(
        "malayalam",
        "ml",
        [
            (
                "maya-f",
                "Maya",
                _("Soft and reassuring, for clinics and care."),
                "Maya speaks softly in a reassuring, slightly low voice, a little slowly. "
                "The audio is very clear and sounds close, with no noise.",
            ),
            (
                "suresh-m",
                "Suresh",
                _("Experienced and unhurried, explains things well."),
                "Suresh is an older man with a deep, unhurried voice who explains patiently and clearly. "
                "A clean, dry recording.",
            ),
            (
                "divya-f",
                "Divya",
                _("Lively and open, for hotels and travel."),
                "Divya speaks in a lively, open voice of high pitch at a moderately fast pace. "
                "The recording is of very high quality.",
            ),
        ],
    ),
    *group(
        "bengali",
        "bn",
        [
            (
                "riya-f",
                "Riya",
                _("Cheerful and quick, for shops and restaurants."),
                "Riya speaks quickly in a cheerful, high-pitched and melodic voice. "
                "Close, very clear recording with no background noise.",
            ),
            (
                "amit-m",
                "Amit",
                _("Thoughtful and even, for helplines."),
                "Amit's voice is thoughtful and even, of medium pitch, at a slow to moderate pace. "
                "Excellent audio quality, with almost no reverberation.",
            ),
            (
                "puja-f",
                "Puja",
                _("Mellow and courteous, for reception."),
                "Puja speaks courteously in a mellow, slightly low voice with soft intonation. "
                "The recording is clear and close to the microphone.",
            ),
        ],
    ),
    *group(
        "urdu",
        "ur",
        [
            (
                "zara-f",
                "Zara",
                _("Elegant and warm, for hospitality."),
                "Zara speaks in an elegant, warm voice of medium pitch with graceful, flowing intonation. "
                "Studio recording, very clear.",
            ),
            (
                "hassan-m",
                "Hassan",
                _("Grave and courteous, for formal calls."),
                "Hassan has a deep, grave and courteous voice and speaks slowly, with weight. "
                "The audio is clean, with no background noise.",
            ),
            (
                "aisha-f",
                "Aisha",
                _("Young and helpful, for everyday questions."),
                "Aisha speaks at a moderate pace in a young, helpful, slightly high voice. "
                "Very clear, close-sounding audio.",
            ),
        ],
    ),
    *group(
        "kannada",
        "kn",
        [
            (
                "deepa-f",
                "Deepa",
                _("Kind and steady, for schools and clinics."),
                "Deepa speaks in a kind, steady voice of medium pitch at a calm pace. "
                "The recording is very clear, with no noise.",
            ),
            (
                "kiran-m",
                "Kiran",
                _("Energetic and direct, for reminders and surveys."),
                "Kiran speaks fast in an energetic, direct voice, slightly high for a man. "
                "High quality audio, close to the microphone.",
            ),
        ],
    ),
    *group(
        "marathi",
        "mr",
        [
            (
                "sneha-f",
                "Sneha",
                _("Affectionate and bright, for family businesses."),
                "Sneha's voice is bright and affectionate, rather high, with lively expression. "
                "A clear recording without reverberation.",
            ),
            (
                "rohit-m",
                "Rohit",
                _("Calm and precise, for technical support."),
                "Rohit speaks precisely in a calm voice of medium pitch, at a moderate pace. "
                "Studio quality, very clear and dry.",
            ),
        ],
    ),
    *group(
        "gujarati",
        "gu",
        [
            (
                "rupa-f",
                "Rupa",
                _("Sociable and warm, for shops."),
                "Rupa speaks in a sociable, warm voice with rich intonation, at a moderate pace. "
                "The recording is close and very clear.",
            ),
            (
                "jay-m",
                "Jay",
                _("Businesslike and brisk, for trade and logistics."),
                "Jay's voice is businesslike and brisk, of medium pitch, with short, clear phrases. "
                "Very high quality audio without noise.",
            ),
        ],
    ),
    *group(
        "punjabi",
        "pa",
        [
            (
                "simran-f",
                "Simran",
                _("Hearty and cheerful, a lively welcome."),
                "Simran speaks heartily in a cheerful, full voice of medium pitch, quite fast. "
                "The audio is clear and sounds close.",
            ),
            (
                "jaspal-m",
                "Jaspal",
                _("Deep and good-natured, for long conversations."),
                "Jaspal has a deep, resonant, good-natured voice and speaks without hurry. "
                "A very clear recording with no background noise.",
            ),
        ],
    ),
)
