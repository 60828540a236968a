"""G.711 against the formulae of the recommendation, sample rates, WAV."""

import io

import numpy as np
import pytest
import soundfile

from mlservices import audio


def itu_ulaw(code: int) -> int:
    """G.711 section 3.2: (-1)^s * (2^segment * (2*step + 33) - 33), on a 14-bit scale, codes inverted."""
    code = ~code & 0xFF
    value = 2 ** ((code >> 4) & 7) * (2 * (code & 15) + 33) - 33
    return (-value if code & 0x80 else value) * 4


def itu_alaw(code: int) -> int:
    """G.711 section 3.1: (2*step + 1) in the first segment, 2^(segment-1) * (2*step + 33) above, 13 bits."""
    code ^= 0x55
    segment, step = (code >> 4) & 7, code & 15
    value = 2 * step + 1 if segment == 0 else 2 ** (segment - 1) * (2 * step + 33)
    return (value if code & 0x80 else -value) * 8


def samples(pcm: bytes) -> list[int]:
    return np.frombuffer(pcm, "<i2").tolist()


@pytest.mark.parametrize(
    ("decode", "formula"),
    [(audio.ulaw_decode, itu_ulaw), (audio.alaw_decode, itu_alaw)],
    ids=["ulaw", "alaw"],
)
def test_every_code_decodes_to_the_value_of_the_recommendation(decode, formula):
    assert samples(decode(bytes(range(256)))) == [formula(code) for code in range(256)]


def test_every_ulaw_code_survives_a_round_trip_but_negative_zero():
    codes = bytes(range(256))
    expected = codes.replace(b"\x7f", b"\xff")  # both mean 0; the positive one is sent
    assert audio.ulaw_encode(audio.ulaw_decode(codes)) == expected


def test_every_alaw_code_survives_a_round_trip():
    codes = bytes(range(256))
    assert audio.alaw_encode(audio.alaw_decode(codes)) == codes


@pytest.mark.parametrize(
    ("encode", "formula"),
    [(audio.ulaw_encode, itu_ulaw), (audio.alaw_encode, itu_alaw)],
    ids=["ulaw", "alaw"],
)
def test_every_sample_is_coded_by_a_nearest_value(encode, formula):
    """Nearest but where two segments meet: there the recommendation favours the upper one."""
    every = np.arange(-32768, 32768)
    coded = np.array([formula(code) for code in range(256)])[list(encode(every.astype("<i2").tobytes()))]
    values = np.array(sorted({formula(code) for code in range(256)}))
    nearest = np.abs(every[:, None] - values[None, :]).min(axis=1)
    slack = (np.abs(every) + 132) // 64
    assert (np.abs(coded - every) <= nearest + slack).all()


def test_silence_and_the_loudest_samples_have_their_well_known_codes():
    pcm = np.array([0, 32767, -32768], "<i2").tobytes()
    assert audio.ulaw_encode(pcm) == b"\xff\x80\x00"
    assert audio.alaw_encode(pcm) == b"\xd5\xaa\x2a"


@pytest.mark.parametrize(
    ("rate_in", "rate_out"), [(8000, 16000), (16000, 8000), (22050, 8000), (24000, 16000)]
)
def test_a_stream_resampled_in_pieces_equals_the_whole(rate_in, rate_out):
    rng = np.random.default_rng(1)
    pcm = (rng.standard_normal(rate_in) * 6000).astype("<i2").tobytes()
    stream = audio.Resampler(rate_in, rate_out)
    pieces, at = [], 0
    while at < len(pcm):
        size = int(rng.integers(1, 999))  # odd sizes too: a piece may end inside a sample
        pieces.append(stream.feed(pcm[at : at + size]))
        at += size
    in_pieces = np.array(samples(b"".join(pieces) + stream.flush()))
    whole = np.array(samples(audio.resample(pcm, rate_in, rate_out)))
    assert len(in_pieces) == len(whole) == rate_out
    assert np.abs(in_pieces - whole).max() <= 2  # the rounding is dithered


def test_a_tone_keeps_its_pitch_and_loudness_at_another_rate():
    tone = (np.sin(2 * np.pi * 440 * np.arange(22050) / 22050) * 10000).astype("<i2").tobytes()
    out = np.array(samples(audio.resample(tone, 22050, 8000)), float)
    spectrum = np.abs(np.fft.rfft(out))
    assert spectrum.argmax() * 8000 / len(out) == pytest.approx(440, abs=1)
    assert np.abs(out[500:-500]).max() == pytest.approx(10000, rel=0.02)


def test_equal_rates_pass_sound_through_untouched():
    stream = audio.Resampler(8000, 8000)
    assert stream.feed(b"\1\2\3") + stream.feed(b"\4") + stream.flush() == b"\1\2\3\4"


def test_a_wav_is_read_as_it_was_written(tmp_path):
    pcm = np.arange(-500, 500, dtype="<i2").tobytes()
    assert audio.read_wav(audio.wav_bytes(pcm, 8000)) == (pcm, 8000)
    path = tmp_path / "a.wav"
    path.write_bytes(audio.wav_bytes(pcm, 16000))
    assert audio.read_wav(path) == (pcm, 16000)


def test_a_stereo_or_float_wav_is_mixed_to_one_channel(tmp_path):
    path = tmp_path / "float.wav"
    soundfile.write(path, np.array([[0.5, 0.25]] * 100, "f4"), 44100, subtype="FLOAT")
    pcm, rate = audio.read_wav(path)
    assert rate == 44100
    assert samples(pcm) == [round(0.375 * 32768)] * 100


def test_bytes_that_are_no_sound_file_are_refused_in_words():
    with pytest.raises(ValueError, match="not a sound file"):
        audio.read_wav(b"<html>")


def test_a_wav_that_claims_an_absurd_rate_or_length_is_refused(monkeypatch):
    for rate in (1, 7999, 48001):
        with pytest.raises(ValueError, match=f"a rate of {rate} Hz"):
            audio.read_wav(audio.wav_bytes(bytes(200), rate))
    monkeypatch.setattr(audio, "LONGEST_SECONDS", 60)
    assert len(audio.read_wav(audio.wav_bytes(bytes(60 * 16000), 8000))[0]) == 60 * 16000
    with pytest.raises(ValueError, match="longer than 1 minutes"):
        audio.read_wav(audio.wav_bytes(bytes(60 * 16000 + 2), 8000))


def test_loud_samples_are_clipped_and_not_wrapped():
    assert samples(audio.from_float(np.array([1.5, -1.5, 1.0], "f4"))) == [32767, -32768, 32767]


def test_leading_silence_is_cut_to_20_ms():
    rate = 8_000
    silence, voice = np.zeros(rate // 10, "<i2"), np.full(rate // 10, 2_000, "<i2")
    cut = audio.without_leading_silence(np.concatenate([silence, voice]).tobytes(), rate)
    assert len(cut) == 2 * (rate // 10 + rate // 50)
    assert audio.without_leading_silence(silence.tobytes(), rate) == silence.tobytes()


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000, 44100, 48000])
def test_an_mp3_is_known_by_its_frames(rate):
    file = io.BytesIO()
    soundfile.write(file, np.zeros(rate, np.float32), rate, format="MP3")
    assert not file.getvalue().startswith(b"ID3")
    assert audio.file_kind(file.getvalue()[: audio.SIGN_BYTES]) == "MP3"


@pytest.mark.parametrize("pcm", [b"", b"\xff", b"\xff\xff" * 2000, b"\xff\xfb\x90\x00" + bytes(2000)])
def test_raw_pcm_is_no_file(pcm):
    assert audio.file_kind(pcm) == ""


@pytest.mark.parametrize("rate", [8000, 16000])
def test_keys_sound_as_telephones_send_them(rate):
    pairs = {"1": (697, 1209), "5": (770, 1336), "#": (941, 1477), "D": (941, 1633)}
    for key, (row, column) in pairs.items():
        heard = np.frombuffer(audio.key_tones(key, rate), "<i2")[: rate // 10].astype(float)
        spectrum = np.abs(np.fft.rfft(heard, rate))  # one bin a hertz
        assert set(np.argsort(spectrum)[-2:]) == {row, column}
        assert np.abs(heard).max() < 0.6 * 32768


def test_a_comma_between_keys_is_half_a_second_and_what_is_no_key_is_left_out():
    rate = 8000
    assert len(audio.key_tones("1,2", rate)) - len(audio.key_tones("12", rate)) == rate // 2 * 2
    assert audio.key_tones("x", rate) == b""
