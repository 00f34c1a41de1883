"""Two speakers: voices mixed, masks laid over the picture, a session against the engine stepped by hand."""

import dataclasses
import io
import math

import numpy as np
import pytest
import torch
from fakes import speech
from PIL import Image

from echotorrent_core.assemble import assemble
from echotorrent_core.conditioning.masks import cover, place_speakers, read_mask
from echotorrent_core.conditioning.wav2vec2 import Wav2Vec2Recording
from echotorrent_core.errors import InputError
from echotorrent_core.media import AudioBlock, mix, read_image
from echotorrent_core.run_folder import RunFolder
from echotorrent_core.session import Session
from echotorrent_core.state import StreamState
from tests.core import published
from tests.core.published import OPTIONS, small

PRESET = "infinitetalk_14b_lightx2v"

# Voices


def blocks(mono, sizes):
    """A voice cut into blocks; its sound is each sample three times."""
    for part in np.split(mono, np.cumsum(sizes)):
        if len(part):
            yield AudioBlock(part, np.repeat(part, 3)[None].repeat(2, 0))


def test_voices_are_heard_together_however_they_are_cut():
    random = np.random.default_rng(0)
    long, short = (random.uniform(-0.9, 0.9, n).astype(np.float32) for n in (5000, 1234))
    mono, sound = zip(*mix([blocks(long, [640] * 7), blocks(short, [1, 700, 333])]), strict=True)
    both = np.stack([long, np.pad(short, (0, 5000 - 1234))])
    assert np.array_equal(np.concatenate(mono, 1), both)
    expected = np.clip(np.repeat(both.sum(0), 3), -1, 1)
    assert np.abs(expected).max() == 1
    assert np.array_equal(np.concatenate(sound, 1), np.stack([expected, expected]))


def test_one_voice_stays_as_it_is():
    (only,) = mix([[AudioBlock(np.ones(3), np.full((2, 9), 2.0))]])
    assert only.mono.shape == (3,) and only.sound.max() == 2
    assert not list(mix([[], []]))


# Masks


def test_masks_are_cut_as_the_picture_is():
    """A mask painted over a picture covers the same pixels after both were scaled and cut."""
    for height, width in ((90, 64), (64, 90), (640, 480)):
        pixels = np.zeros((height, width, 3), np.uint8)
        pixels[height // 3 : height // 2, width // 4 : width // 2] = 255
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        seen = read_image(file.getvalue(), (32, 32)).mean(0)
        covered = cover(torch.from_numpy(pixels[..., 0] / 255.0), 32, 32)
        certain = seen.abs() > 0.9  # scaling blurs the edge
        assert certain.float().mean() > 0.7 and torch.equal(covered[certain] > 0.5, seen[certain] > 0)


def test_masks_of_any_resolution_and_the_halves():
    config, picture = dataclasses.replace(small(PRESET), size=(64, 64)), (400, 300)
    left = torch.zeros(400, 300)
    left[:, :150] = 1
    full = place_speakers(config, picture, [left, 1 - left])
    half = place_speakers(config, picture, [left[::2, ::2], 1 - left[::2, ::2]])
    assert full.shape == (3, 64, 64) and torch.equal(full, half)
    assert torch.equal(full[0], 1 - full[1]) and not full[2].any()
    default = place_speakers(config, picture)
    assert torch.equal(default.sum(0), torch.ones(64, 64))
    assert not (default[0] > full[0]).any() and default[0].mean() > 0.4 and default[2].any()  # a border is nobody's


@pytest.mark.parametrize(
    ("masks", "words"),
    [
        ([torch.ones(64, 64), torch.ones(64, 64)], "speaker 1 has 64 x 64 pixels, the picture 300 x 400"),
        ([torch.ones(400, 300), torch.zeros(400, 300)], "mask of speaker 2 is empty"),
        ([torch.eye(400, 300)[:1].expand(400, 300), torch.ones(400, 300)], "speaker 1 is empty, or so small"),
    ],
)
def test_masks_that_cannot_be_used(masks, words):
    with pytest.raises(InputError, match=words) as error:
        place_speakers(small(PRESET), (400, 300), masks)
    assert "\n" not in str(error.value)


def test_halves_of_a_banner_are_not_seen():
    with pytest.raises(InputError, match="speaker 1 is not seen"):
        place_speakers(small(PRESET), (32, 32000))


def test_a_mask_is_white_where_the_speaker_is(tmp_path):
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[:, :2] = 255
    pixels[0] = [255, 255, 255, 0]  # transparent is nobody's
    Image.fromarray(pixels).save(tmp_path / "mask.png")
    assert read_mask(tmp_path / "mask.png").tolist() == [[0, 0, 0, 0]] + 3 * [[1, 1, 0, 0]]
    with pytest.raises(InputError, match="not found"):
        read_mask(tmp_path / "none.png")


# Sessions


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    return assemble(small(PRESET), [published.write(tmp_path_factory.mktemp("models"))], OPTIONS)


IMAGE = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
SECONDS = 1.5


def voices():
    return np.stack([speech(SECONDS)[0], speech(SECONDS, seed=1)[0]])


def condition(engine, image=IMAGE, prompt="a smile"):
    return engine.condition(image, prompt, place_speakers(engine.config, (32, 32)))


def by_hand(engine, state, mono, changes=None):
    """Pixels (T, 3, H, W) of the whole stream; changes: what `Engine.change` is told before a chunk."""
    frames = math.ceil(mono.shape[1] / 640)
    videos, at = [], 0
    while state.frames < frames:
        if changes and state.chunk in changes:
            state = engine.change(state, **changes[state.chunk])
        n = engine.samples_needed(state)
        part = mono[:, at : at + n]
        part = np.pad(part, ((0, 0), (0, n - part.shape[1])))
        state, video = engine.step(state, torch.from_numpy(part), total=frames)
        videos.append(video)
        at += n
    return pixels(torch.cat(videos, 2)[:, :, :frames])


def pixels(video):
    return ((video[0].clamp(-1, 1) + 1) * 127.5 + 0.5).to(torch.uint8).permute(1, 0, 2, 3)


def make(path, engine, mono, stop_after=None, **options):
    """Frames that a session makes of `mono`, all of which is there from the start; resumed if `path` has some."""
    new = not (path / "run.json").exists()
    info = {"preset": engine.config.name, "fingerprint": engine.fingerprint, "seed": 0}
    with RunFolder.create(path, info) if new else RunFolder.open(path) as run:
        session = Session.resume(run, engine, condition(engine) if new else None, **options)
        session.push(mono[:, session.source_position :])
        session.end()
        made = []
        for event, shown in session.start().frames(maxsize=1):
            made.append(torch.from_numpy(shown).permute(0, 3, 1, 2))
            if event["chunk"] == stop_after:
                session.stop()
                break
        else:
            session.wait()
        return torch.cat(made)


def test_a_session_of_two_is_the_engine_stepped_by_hand(engine, tmp_path):
    mono = voices()
    expected = by_hand(engine, engine.start(condition(engine), 0), mono)
    assert torch.equal(make(tmp_path / "run", engine, mono), expected)
    swapped = by_hand(engine, engine.start(condition(engine), 0), mono[::-1].copy())
    assert not torch.equal(swapped, expected)


def test_changes_keep_the_places_of_the_speakers_through_a_resume(engine, tmp_path):
    """What `set_prompt` and `set_reference` change, and nothing else, also in a run that was stopped between them."""
    mono, other = voices(), -IMAGE
    changes = {1: {"prompt": "sad"}, 2: {"image": other}, 3: {"prompt": "glad", "image": IMAGE}}
    expected = by_hand(engine, engine.start(condition(engine), 0), mono, changes)
    assert not torch.equal(expected, by_hand(engine, engine.start(condition(engine), 0), mono))

    def change(event):
        for name, value in changes.get(event["chunk"] + 1, {}).items():
            (held[0].set_prompt if name == "prompt" else held[0].set_reference)(value)

    held = []

    class Watched(Session):
        def start(self):
            held[:] = [self]
            return super().start()

    made, path = [], tmp_path / "run"
    info = {"preset": engine.config.name, "fingerprint": engine.fingerprint, "seed": 0}
    for limit in (1, None):
        with RunFolder.create(path, info) if limit else RunFolder.open(path) as run:
            session = Watched.resume(run, engine, condition(engine) if limit else None, on_chunk=change)
            session.push(mono[:, session.source_position :])
            session.end()
            frames = session.frames(maxsize=1)
            if not limit:  # the change that was to follow the last chunk, which the state cannot hold
                session.set_prompt("sad")
            session.start()
            for event, shown in frames:
                made.append(torch.from_numpy(shown).permute(0, 3, 1, 2))
                if event["chunk"] + 1 == limit:
                    session.stop()
            session.wait()
            assert len(session._state.conditioning.speakers) == 3
    assert torch.equal(torch.cat(made), expected)


def test_new_masks_may_be_given_and_old_ones_stay(engine):
    state = engine.start(condition(engine), 0)
    masks = state.conditioning.speakers
    same = engine.recondition(state, engine.condition(IMAGE, "sad"))
    assert torch.equal(same.conditioning.speakers, masks) and same.conditioning.prompt == "sad"
    turned = engine.recondition(state, engine.condition(IMAGE, "", place_speakers(engine.config, (32, 32))[[1, 0, 2]]))
    assert torch.equal(turned.conditioning.speakers, masks[[1, 0, 2]])


def test_a_changed_prompt_needs_neither_picture_nor_its_encoders(engine, monkeypatch):
    state = engine.start(condition(engine), 0)
    monkeypatch.setattr(engine.vae, "encode", lambda *_: pytest.fail("the picture was encoded again"))
    changed = engine.change(state, prompt="sad").conditioning
    assert not torch.equal(changed.text, state.conditioning.text) and changed.image is state.conditioning.image


def test_a_changed_prompt_encodes_nothing_but_itself(tmp_path, monkeypatch):
    """Text encoders are loaded for each prompt: the negative one stays."""
    guided = assemble(small("infinitetalk_14b"), [published.write(tmp_path)], OPTIONS)
    state = guided.start(guided.condition(IMAGE, "a smile"), 0)
    asked, encode = [], guided.text.encode
    monkeypatch.setattr(guided.text, "encode", lambda prompt: asked.append(prompt) or encode(prompt))
    changed = guided.change(state, prompt="sad").conditioning
    assert asked == ["sad"] and changed.negative is state.conditioning.negative and changed.prompt == "sad"


# Recordings


def recordings(engine, mono):
    return [Wav2Vec2Recording.of(engine.config.audio, engine.audio, torch.from_numpy(voice)) for voice in mono]


def test_recordings_in_a_session_are_those_of_the_class(engine, tmp_path):
    mono = voices()
    state = engine.start(condition(engine), 0)
    state.audio = tuple(recordings(engine, mono))
    expected = by_hand(engine, state, mono)
    assert not torch.equal(expected, by_hand(engine, engine.start(condition(engine), 0), mono))  # streamed features
    made = make(tmp_path / "whole", engine, mono, audio=recordings(engine, mono))
    assert torch.equal(made, expected)
    make(tmp_path / "cut", engine, mono, stop_after=0, audio=recordings(engine, mono))
    state_file = tmp_path / "cut" / "state.safetensors"
    assert state_file.stat().st_size < 2**20  # holds no features
    for wrong in (None, recordings(engine, mono)[:1]):
        with pytest.raises((InputError, ValueError), match=r"whole recording|expected one for each of 2"):
            StreamState.load(state_file, engine, wrong)
    rest = make(tmp_path / "cut", engine, mono, audio=recordings(engine, mono))
    assert 0 < len(rest) < len(expected) and torch.equal(rest, expected[-len(rest) :])


def test_a_stream_is_not_resumed_as_a_recording(engine, tmp_path):
    state = engine.start(condition(engine), 0)
    state.save(tmp_path / "state")
    with pytest.raises(InputError, match="without speech features of the whole recording"):
        StreamState.load(tmp_path / "state", engine, recordings(engine, voices()))


def test_every_voice_has_its_recording(engine):
    with pytest.raises(ValueError, match="got 1 recordings"):
        engine.start(condition(engine), 0, audio=recordings(engine, voices())[:1])
