"""Window mode: each window is made afresh and begins with the last frames of the one before."""

import dataclasses

import pytest
import torch

from echotorrent_core.conditioning.colour import match_colour
from echotorrent_core.config import WindowConfig
from echotorrent_core.guidance import Guidance
from echotorrent_core.presets import debug
from echotorrent_core.stream import Engine, StreamState

OVERLAP, LENGTH = 5, 13  # frames


def build(inject=True, **stream):
    config = debug()
    audio = dataclasses.replace(config.trunk.audio, inject=inject)
    config = dataclasses.replace(config, trunk=dataclasses.replace(config.trunk, audio=audio))
    policies = {"window": WindowConfig(OVERLAP, 0.5), "condition": "first", "sampler": "euler", **stream}
    engine = Engine.build(dataclasses.replace(config, stream=dataclasses.replace(config.stream, **policies)))
    torch.nn.init.normal_(engine.trunk.head.head.weight, std=0.2, generator=torch.Generator().manual_seed(0))
    return engine


@pytest.fixture(scope="module")
def engine():
    return build()


@pytest.fixture(scope="module")
def image():
    return torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(3)) * 2 - 1


def sound(engine, state, seed=0):
    g = torch.Generator().manual_seed(1000 * seed + state.chunk)
    return 0.1 * torch.randn(len(state.audio), engine.samples_needed(state), generator=g)


def run(engine, state, chunks):
    videos = []
    for _ in range(chunks):
        state, video = engine.step(state, sound(engine, state))
        videos.append(video)
    return state, videos


def test_a_window_brings_its_frames_without_the_overlap(engine, image):
    state, videos = run(engine, engine.start(engine.condition(image), 0), 3)
    assert [v.shape[2] for v in videos] == [LENGTH, LENGTH - OVERLAP, LENGTH - OVERLAP]
    assert state.frames == sum(v.shape[2] for v in videos)
    assert not state.history.rings and state.vae is None and not state.sink_kv


def test_a_window_begins_with_the_last_frames_of_the_one_before(engine, image):
    state, videos = run(engine, engine.start(engine.condition(image), 0), 2)
    made = torch.cat(videos, 2)
    expected, _ = engine.vae.encode(made[:, :, -OVERLAP:])
    assert torch.equal(state.lead, expected) and state.lead.shape[2] == 2


def test_pinned_latents_are_clean_at_every_step(engine, image):
    state, _ = run(engine, engine.start(engine.condition(image), 0), 1)
    seen, lead = [], state.lead
    hook = engine.trunk.register_forward_hook(lambda module, args, output: seen.append(args[0][:, :, : lead.shape[2]]))
    engine.step(state, sound(engine, state))
    hook.remove()
    assert len(seen) == len(engine.config.stream.sigmas)
    assert all(torch.equal(x, lead) for x in seen)


def test_windows_keep_the_colours_of_the_reference(image):
    """Full strength: every frame has the Lab statistics of the picture, so matching it again changes little."""
    engine = build(window=WindowConfig(OVERLAP, 1.0))
    _, videos = run(engine, engine.start(engine.condition(image), 0), 2)
    again = match_colour(videos[1], image[None, :, None], 1.0)
    free = run(build(window=WindowConfig(OVERLAP, 0.0)), engine.start(engine.condition(image), 0), 2)[1]
    change, change_free = ((match_colour(v, image[None, :, None]) - v).abs().mean() for v in (videos[1], free[1]))
    assert (again - videos[1]).abs().mean() == change < 0.2 * change_free


@pytest.mark.parametrize("scales", [(1.0, 1.0), (1.0, 2.0), (3.0, 2.0)])
def test_cut_and_restored_equals_uncut(image, tmp_path, scales):
    engine = build(guidance=Guidance(*scales))
    _, whole = run(engine, engine.start(engine.condition(image, "happy"), 0), 3)
    state, _ = run(engine, engine.start(engine.condition(image, "happy"), 0), 2)
    state.save(tmp_path / "state")
    _, rest = run(engine, StreamState.load(tmp_path / "state", engine), 1)
    assert torch.equal(rest[0], whole[2])


def test_two_speakers_have_a_stream_each(engine, image, tmp_path):
    single, engine = engine, build(inject=False)
    masks = torch.zeros(3, 4, 4)
    masks[0, :, :2] = masks[1, :, 2:] = 1
    masks[2, 0, 0] = 1

    def pair(seed):
        state = engine.start(engine.condition(image, speakers=masks), 0)
        state, _ = engine.step(state, sound(engine, state))
        state.save(tmp_path / "state")
        state = StreamState.load(tmp_path / "state", engine)
        samples = sound(engine, state, seed=1)
        samples[seed] = -samples[seed]
        return engine.step(state, samples)[1]

    assert not torch.equal(pair(0), pair(1))
    state = engine.start(engine.condition(image, speakers=masks), 0)
    with pytest.raises(ValueError, match="next chunk needs"):
        engine.step(state, sound(engine, state)[:1])
    with pytest.raises(ValueError, match="knows one speaker"):
        single.condition(image, speakers=masks)


def test_behind_the_end_of_the_sound_its_features_come_in_reverse(engine, image):
    state, total = engine.start(engine.condition(image), 0), 10
    source = state.audio[0].push(sound(engine, state)[0])
    known = source.features(engine.audio, 0, total)
    found = engine._features(source, 4, 11, total)
    torch.testing.assert_close(found[:, :6], known[:, 4:])
    torch.testing.assert_close(found[:, 6:], known[:, 5:].flip(1))
    assert not torch.allclose(found, engine._features(source, 4, 11, None), atol=1e-2)
