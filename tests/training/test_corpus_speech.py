"""Synthetic speech: times, mouth tracks, augmentation, singing."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy.signal import butter, correlate, sosfilt

from training.corpus import augment, flite, sentences, singing, speech
from training.corpus.speech import SAMPLE_RATE, VOICES, join, random_utterance, synthesise
from training.corpus.visemes import CLASS_INDEX, closure_flags, is_closure, segments, shapes_of, viseme_track

STEPS = (
    augment.gain,
    augment.equalise,
    augment.band_limit,
    augment.add_noise,
    augment.reverb,
    augment.formant_shift,
    augment.distort,
    augment.augment,
)


@pytest.fixture(scope="module")
def spoken() -> speech.Utterance:
    return random_utterance(np.random.default_rng(3), "general", "train", 6.0)


# Speech


def test_same_seed_same_utterance_after_any_history() -> None:
    first = random_utterance(np.random.default_rng(5))
    synthesise("something else", "de+f2")
    again = random_utterance(np.random.default_rng(5))
    assert first.phonemes == again.phonemes and np.array_equal(first.samples, again.samples)


def test_breathy_voice_is_the_same_in_another_process() -> None:
    here = synthesise("where were we", "en-us+f3").samples
    code = (
        "import sys, numpy; from training.corpus.speech import synthesise;"
        "sys.stdout.buffer.write(synthesise('where were we', 'en-us+f3').samples.tobytes())"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert here.tobytes() == there


@pytest.mark.parametrize("domain", ["general", "rare"])
@pytest.mark.parametrize("split", ["train", "heldout"])
def test_phonemes_cover_the_audio(domain: str, split: str) -> None:
    said = random_utterance(np.random.default_rng(1), domain, split)
    starts, ends = np.array([p[:2] for p in said.phonemes]).T
    assert said.voice in VOICES[split] and said.seconds >= 4.0
    assert starts[0] == 0.0 and ends[-1] == pytest.approx(said.seconds, abs=1e-4)
    assert np.allclose(starts[1:], ends[:-1], atol=1e-4) and (ends > starts).all()
    assert said.phonemes[0][2] == "_" and said.phonemes[-1][2].startswith("_")


def test_splits_share_no_variant_but_the_plain_voice() -> None:
    variants = {split: {v.partition("+")[2] for v in VOICES[split]} - {""} for split in VOICES}
    assert len(VOICES["train"]) >= 40 and len(VOICES["heldout"]) >= 8
    assert not variants["train"] & variants["heldout"] and not set(VOICES["train"]) & set(VOICES["heldout"])


@pytest.mark.parametrize("voice", [v for split in VOICES.values() for v in split])
def test_every_voice_speaks_and_is_a_voice_of_its_own(voice: str) -> None:
    base, _, variant = voice.partition("+")
    said = synthesise("mama papa", voice)
    assert np.abs(said.samples).max() > 0.05
    if variant:
        assert not np.array_equal(said.samples, synthesise("mama papa", base).samples)


def test_fricative_times_agree_with_the_sound() -> None:
    high = butter(4, 4000, "high", fs=SAMPLE_RATE, output="sos")
    errors = []
    for voice in VOICES["train"][:12]:
        said = synthesise("so see the sun, she is sad. say something.", voice)
        energy = np.convolve(sosfilt(high, said.samples) ** 2, np.ones(80) / 80, "same")
        for start, _, name in said.phonemes:
            if name == "s" and start > 0.06:
                begin = int((start - 0.05) * SAMPLE_RATE)
                piece = energy[begin : begin + int(0.15 * SAMPLE_RATE)]
                errors.append(np.argmax(piece > 0.2 * piece.max()) / SAMPLE_RATE - 0.05)
    assert abs(np.median(errors)) < 0.02  # half a video frame


def test_voiceless_stops_begin_with_their_silence() -> None:
    said = synthesise("a papa", "en-us")
    start = next(p[0] for p in said.phonemes[2:] if p[2] == "p")
    piece = said.samples[int((start + 0.005) * SAMPLE_RATE) : int((start + 0.025) * SAMPLE_RATE)]
    assert np.abs(piece).max() < 0.01


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="no voice 'xx-nobody'"):
        synthesise("hello", "xx-nobody")
    with pytest.raises(ValueError, match="unknown speech domain"):
        random_utterance(np.random.default_rng(0), "opera")
    with pytest.raises(ValueError, match="unknown split"):
        random_utterance(np.random.default_rng(0), "general", "test")


def test_english_is_rich_in_phonemes() -> None:
    rng = np.random.default_rng(0)
    names = {p[2].lstrip("',") for _ in range(60) for p in synthesise(sentences.english(rng), "en-us").phonemes}
    wanted = "p b m f v T D t d k g N s z S Z tS dZ n l r w j h i: I E a V 0 u: U 3: eI aI aU OI oU".split()  # noqa: SIM905
    assert not [w for w in wanted if w not in names]


# Visemes


def test_mnemonics_of_many_languages() -> None:
    expected = {
        "p;": "PP",
        "b[": "PP",
        "'aI": "aa",
        "tS;": "CH",
        "ts": "SS",
        "n^": "nn",
        "R2": "RR",
        "A~": "aa",
        "T": "TH",
    }
    assert {m: shapes_of(m)[0].name for m in expected} == expected
    assert [s.name for s in shapes_of("'aI")] == ["aa", "I"] and [s.name for s in shapes_of("pf")] == ["PP", "FF"]
    assert shapes_of("h") == [] and shapes_of("_:")[0].name == "sil" and len(shapes_of("§")) == 1


def test_glottals_take_the_shape_that_follows() -> None:
    found = segments([(0.0, 0.1, "_"), (0.1, 0.2, "h"), (0.2, 0.4, "'u:")])
    assert found[1][2].name == "U" and found[1][2].wide == found[2][2].wide


@pytest.mark.parametrize("shift", np.linspace(0.0, 0.039, 9))
def test_closures_close_wherever_they_fall(shift: float) -> None:
    phonemes = [
        (0.0, 0.3, "'A:"),
        (0.3 + shift, 0.33 + shift, "b"),
        (0.33 + shift, 0.6, "'A:"),
        (0.6, 0.7, "m"),
        (0.7, 1.0, "'a"),
    ]
    params, classes = viseme_track(phonemes, 25)
    flags = closure_flags(phonemes, 25)
    assert flags[:14].any() and flags[14:].any()
    assert (params[flags, 0] < 0.01).all() and (classes[flags] == CLASS_INDEX["PP"]).all()
    assert params[4, 0] > 0.7 and params[21, 0] > 0.7


def test_track_of_speech(spoken: speech.Utterance) -> None:
    frames = int(spoken.seconds * 25)
    params, classes = viseme_track(spoken.phonemes, frames)
    flags = closure_flags(spoken.phonemes, frames)
    assert params.shape == (frames, 4) and params.dtype == np.float32 and classes.dtype == np.int64
    assert params.min() >= 0 and params.max() <= 1 and params[:, 0].max() > 0.5
    assert (params[flags, 0] < 0.01).all() and any(is_closure(p[2]) for p in spoken.phonemes) == bool(flags.any())
    assert params[:1, 0].max() < 0.1  # silence before the first word: closed


def test_offset_is_a_shift_of_the_clock(spoken: speech.Utterance) -> None:
    whole, classes = viseme_track(spoken.phonemes, 80)
    part, part_classes = viseme_track(spoken.phonemes, 20, offset=1.0)
    assert np.allclose(whole[25:45], part, atol=2e-3) and np.array_equal(classes[25:45], part_classes)


def test_join_keeps_times() -> None:
    one = synthesise("mama", "en-us")
    both = join([0.5, one, 0.25, one])
    assert both.seconds == pytest.approx(0.75 + 2 * one.seconds, abs=1e-3)
    assert both.phonemes[1][0] == 0.5 and both.phonemes[0] == (0.0, 0.5, "_")


# Augmentation


@pytest.mark.parametrize("step", STEPS, ids=lambda f: f.__name__)
def test_augmentation_keeps_time_and_is_seeded(step, spoken: speech.Utterance) -> None:
    x = spoken.samples[:64000]
    envelope = _envelope(x)
    for seed in range(6):
        y = step(x, np.random.default_rng(seed))
        assert y.shape == x.shape and y.dtype == np.float32 and np.isfinite(y).all()
        assert np.array_equal(y, step(x, np.random.default_rng(seed)))
        match = correlate(_envelope(y), envelope, "same", method="fft")
        assert abs(int(match.argmax()) - len(x) // 2) < 32  # 2 ms


@pytest.mark.parametrize("step", STEPS, ids=lambda f: f.__name__)
def test_augmentation_of_silence_is_finite(step) -> None:
    y = step(np.zeros(16000, np.float32), np.random.default_rng(0))
    assert np.isfinite(y).all() and np.abs(y).max() < 0.05


def _envelope(x: np.ndarray) -> np.ndarray:
    e = np.sqrt(np.convolve(x.astype(np.float64) ** 2, np.ones(80) / 80, "same"))
    return e - e.mean()


# Singing and flite


@pytest.mark.skipif(not singing.available(), reason="pyworld is not installed")
def test_song_has_its_notes_and_times() -> None:
    said = synthesise("mama, mama", "en-us")
    sung = singing.sing(said, [(220.0, 0.5)], vibrato=0.0)
    vowels = [(s, e) for s, e, name in sung.phonemes if singing.is_vowel(name)]
    assert [p[2] for p in sung.phonemes] == [p[2] for p in said.phonemes]
    assert min(e - s for s, e in vowels) == pytest.approx(0.5)
    assert sung.phonemes[-1][1] == pytest.approx(sung.seconds, abs=1e-3)
    start, end = vowels[0]
    middle = sung.samples[int((start + 0.15) * SAMPLE_RATE) : int((end - 0.1) * SAMPLE_RATE)]
    match = correlate(middle, middle, "full")[len(middle) - 1 :]
    assert SAMPLE_RATE / (40 + match[40:160].argmax()) == pytest.approx(220.0, rel=0.02)


@pytest.mark.skipif(not singing.available(), reason="pyworld is not installed")
def test_random_song_is_seeded() -> None:
    one, two = (random_utterance(np.random.default_rng(2), "singing", min_seconds=2.0) for _ in range(2))
    assert np.array_equal(one.samples, two.samples) and one.seconds >= 2.0


@pytest.mark.skipif(not flite.available(), reason="flite is not installed")
def test_flite_times_are_inside_the_audio() -> None:
    said = flite.random_utterance(np.random.default_rng(0), "heldout", 2.0)
    starts, ends = np.array([p[:2] for p in said.phonemes]).T
    assert said.voice == "slt" and ends[-1] == pytest.approx(said.seconds, abs=1e-3)
    assert np.allclose(starts[1:], ends[:-1], atol=1e-3)
