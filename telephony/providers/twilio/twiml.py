"""What we answer when Twilio asks what to do with a call."""

from __future__ import annotations

from twilio.twiml.voice_response import Connect, Dial, Start, VoiceResponse

LONGEST_SECONDS = 4 * 3600  # of a call that we pass on


def connect(*, socket_url: str, token: str, after_url: str, recorded_url: str = "") -> str:
    """Carry the sound to our socket; when it closes, however it closes, ask at `after_url`. With
    `recorded_url` record it too, both sides apart, and tell there how that goes."""
    response = VoiceResponse()
    if recorded_url:
        recording = Start()
        recording.recording(
            channels="dual",
            recording_status_callback=recorded_url,
            recording_status_callback_method="POST",
            recording_status_callback_event="in-progress completed absent",
        )
        response.append(recording)
    stream = Connect()
    stream.stream(url=socket_url).parameter(name="token", value=token)
    response.append(stream)
    response.redirect(after_url, method="POST")
    return str(response)


def dial(number: str, *, after_url: str) -> str:
    """Put the caller through; when that is over, or comes to nothing, ask at `after_url`."""
    response = VoiceResponse()
    response.append(Dial(number, action=after_url, method="POST", time_limit=LONGEST_SECONDS))
    return str(response)


def say_and_hang_up(text: str, *, language: str) -> str:
    response = VoiceResponse()
    response.say(text, language=language)
    response.hangup()
    return str(response)


def hang_up() -> str:
    response = VoiceResponse()
    response.hangup()
    return str(response)


def reject() -> str:
    """Unanswered, so that it costs nobody anything."""
    response = VoiceResponse()
    response.reject(reason="busy")
    return str(response)
