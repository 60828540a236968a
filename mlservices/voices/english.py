"""English voices: American, British, Canadian, Australian."""

from __future__ import annotations

from ..catalog.entry import translated_when_shown as _
from .entry import Voice, group

ENGLISH: tuple[Voice, ...] = (
    *group(
        "en-us",
        "en-US",
        [
            (
                "sarah-f",
                "Sarah",
                _("Friendly and clear, at home at any front desk."),
                "Sarah speaks in a friendly, clear voice of medium pitch with an American accent, at a "
                "moderate pace. The recording is very clear and close, with no background noise.",
            ),
            (
                "michael-m",
                "Michael",
                _("Steady and trustworthy, for finance and insurance."),
                "Michael has a steady, slightly deep American voice and speaks evenly and without hurry. "
                "Studio quality audio, very dry.",
            ),
            (
                "jessica-f",
                "Jessica",
                _("Upbeat and quick, for bookings and sales."),
                "Jessica speaks fast in an upbeat, high-pitched American voice, very expressively. "
                "The audio is clean and close to the microphone.",
            ),
            (
                "david-m",
                "David",
                _("Deep and calm, takes the heat out of a complaint."),
                "David's deep American voice is calm and soothing; he speaks slowly, with soft emphasis. "
                "Very clear recording with no noise.",
            ),
            (
                "emily-f",
                "Emily",
                _("Soft and caring, for clinics and care homes."),
                "Emily speaks softly in a caring, slightly high American voice, a little slowly. "
                "The recording is very clear, with no reverberation.",
            ),
            (
                "james-m",
                "James",
                _("Crisp and businesslike, for technical support."),
                "James speaks crisply in a businesslike American voice of medium pitch, moderately fast. "
                "Excellent audio quality, close-sounding.",
            ),
        ],
    ),
    *group(
        "en-gb",
        "en-GB",
        [
            (
                "olivia-f",
                "Olivia",
                _("Polished and warm, for hotels and private practices."),
                "Olivia speaks in a polished, warm voice of medium pitch with a British accent, unhurried. "
                "Studio recording, very clear.",
            ),
            (
                "william-m",
                "William",
                _("Measured and distinguished, for law firms and banks."),
                "William has a low, distinguished British voice and speaks slowly and deliberately. "
                "The audio is very clean and dry.",
            ),
            (
                "charlotte-f",
                "Charlotte",
                _("Bright and efficient, for appointments."),
                "Charlotte speaks briskly in a bright, slightly high British voice with crisp consonants. "
                "Close, very clear recording with no noise.",
            ),
            (
                "henry-m",
                "Henry",
                _("Good-humoured and relaxed, for shops and pubs."),
                "Henry's British voice is relaxed and good-humoured, of medium pitch, rather lively. "
                "High quality audio with very little reverberation.",
            ),
            (
                "isabella-f",
                "Isabella",
                _("Gentle and reassuring, for helplines."),
                "Isabella speaks gently in a reassuring, low-pitched British voice, at a slow pace. "
                "The recording is very clear and close.",
            ),
        ],
    ),
    *group(
        "en-ca",
        "en-CA",
        [
            (
                "emma-f",
                "Emma",
                _("Open and polite, an all-rounder."),
                "Emma speaks in an open, polite voice of medium pitch with a Canadian accent, at a "
                "moderate pace. Very clear audio without background noise.",
            ),
            (
                "liam-m",
                "Liam",
                _("Young and helpful, for everyday support."),
                "Liam has a young, helpful Canadian voice, slightly high, and speaks moderately fast. "
                "The recording is clean and close.",
            ),
            (
                "sophie-f",
                "Sophie",
                _("Calm and attentive, listens before it answers."),
                "Sophie speaks calmly in a soft, slightly low Canadian voice, with attentive pauses. "
                "Studio quality audio.",
            ),
        ],
    ),
    *group(
        "en-au",
        "en-AU",
        [
            (
                "chloe-f",
                "Chloe",
                _("Sunny and easy-going, for travel and leisure."),
                "Chloe speaks in a sunny, easy-going voice, rather high, with an Australian accent, lively. "
                "The audio is very clear and close.",
            ),
            (
                "jack-m",
                "Jack",
                _("Down-to-earth and cheerful, for trades and services."),
                "Jack has a down-to-earth, cheerful Australian voice of medium pitch and speaks quite fast. "
                "Clear recording with no reverberation.",
            ),
            (
                "ruby-f",
                "Ruby",
                _("Clear and composed, for emergency and utility lines."),
                "Ruby speaks with composure in a clear, slightly low Australian voice, evenly paced. "
                "Very high quality audio without noise.",
            ),
        ],
    ),
)
