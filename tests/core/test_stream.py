"""The engine: state in, state out; nothing hidden, nothing shared."""

import dataclasses
import subprocess
import sys

import pytest
import torch

from echotorrent_core import schedules
from echotorrent_core.errors import Cancelled, InputError
from echotorrent_core.guidance import Guidance
from echotorrent_core.presets import debug
from echotorrent_core.stream import Engine, StreamState


@pytest.fixture(scope="module")
def engine():
    engine = Engine.build(debug())
    torch.manual_seed(0)
    torch.nn.init.normal_(engine.trunk.head.head.weight, std=0.2)  # a fresh trunk predicts nothing
    return engine


@pytest.fixture(scope="module")
def image():
    return torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(3)) * 2 - 1


def audio(engine, state, seed):
    g = torch.Generator().manual_seed(1000 + seed)
    return 0.1 * torch.randn(engine.samples_needed(state), generator=g)


def run(engine, state, chunks):
    frames = []
    for _ in range(chunks):
        state, video = engine.step(state, audio(engine, state, state.chunk))
        frames.append(video)
    return state, frames


def test_chunks_have_the_promised_frames(engine, image):
    state, frames = run(engine, engine.start(engine.condition(image), 0), 3)
    assert [f.shape[2] for f in frames] == [13, 16, 16] and state.frames == 45
    assert frames[0].shape == (1, 3, 13, 32, 32)
    assert [engine.frames_in_chunk(i) for i in range(3)] == [13, 16, 16]


def test_same_seed_same_bytes_another_seed_others(engine, image):
    condition = engine.condition(image, "smiling")
    first, again, other = (torch.cat(run(engine, engine.start(condition, s), 3)[1], 2) for s in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("policy", ["per_step", "last_step", "clean"])
@pytest.mark.parametrize("cut", [1, 4])
def test_cut_and_restored_equals_uncut(image, tmp_path, policy, cut):
    config = debug()
    engine = Engine.build(dataclasses.replace(config, stream=dataclasses.replace(config.stream, cache_write=policy)))
    torch.nn.init.normal_(engine.trunk.head.head.weight, std=0.2, generator=torch.Generator().manual_seed(0))
    _, whole = run(engine, engine.start(engine.condition(image), 1), 6)
    state, _ = run(engine, engine.start(engine.condition(image), 1), cut)
    state.save(tmp_path / "state.safetensors")
    _, rest = run(engine, StreamState.load(tmp_path / "state.safetensors", engine), 6 - cut)
    assert torch.equal(torch.cat(whole[cut:], 2), torch.cat(rest, 2))


def test_restored_in_another_process_equals_uncut(image, tmp_path):
    engine = Engine.build(debug())
    state, _ = run(engine, engine.start(engine.condition(image), 1), 2)
    state.save(tmp_path / "state.safetensors")
    code = f"""
import sys, torch
sys.path[:0] = {sys.path!r}
torch.set_num_threads(1)
from echotorrent_core.presets import debug
from echotorrent_core.stream import Engine, StreamState
engine = Engine.build(debug())
state = StreamState.load({str(tmp_path / "state.safetensors")!r}, engine)
g = torch.Generator().manual_seed(1002)
_, video = engine.step(state, 0.1 * torch.randn(engine.samples_needed(state), generator=g))
torch.save(video, {str(tmp_path / "video.pt")!r})
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    _, [expected] = run(engine, state, 1)
    assert torch.equal(torch.load(tmp_path / "video.pt"), expected)


def test_interleaved_streams_equal_separate_ones(engine, image):
    a, b = engine.condition(image, "happy"), engine.condition(-image, "sad")
    alone = [run(engine, engine.start(c, s), 4)[1] for c, s in ((a, 1), (b, 2))]
    states, mixed = [engine.start(a, 1), engine.start(b, 2)], [[], []]
    for i in (0, 1, 1, 0, 1, 0, 0, 1):
        states[i], video = engine.step(states[i], audio(engine, states[i], states[i].chunk))
        mixed[i].append(video)
    for expected, got in zip(alone, mixed, strict=True):
        assert torch.equal(torch.cat(expected, 2), torch.cat(got, 2))


def test_a_million_latents_later_the_same_frames(engine, image):
    """No position grows: with the clock and the history's counter far on, the next chunk is the same."""
    state, _ = run(engine, engine.start(engine.condition(image), 1), 4)
    samples = audio(engine, state, 4)
    shift = 1_000_000 // 12 * 12
    later = dataclasses.replace(
        state,
        generator=state.generator.clone_state(),
        history=_shifted(state.history, shift),
        audio=_later(engine, state.audio, shift * 4 * 640),
        frames=state.frames + shift * 4,
        chunk=state.chunk + shift // 4,
    )
    _, expected = engine.step(state, samples)
    _, video = engine.step(later, samples)
    assert torch.equal(expected, video)


def _shifted(history, shift):
    import copy

    copied = copy.deepcopy(history)
    copied.written += shift
    return copied


def _later(engine, sources, samples):
    (source,) = sources
    tensors = source.tensors()
    tensors["clock"] = tensors["clock"] + samples
    return (source.restored(tensors),)


def test_a_cancelled_step_leaves_the_state_usable(engine, image):
    condition = engine.condition(image)
    _, whole = run(engine, engine.start(condition, 1), 3)
    state, _ = run(engine, engine.start(condition, 1), 2)

    def cancel(i):
        if i == 1:
            raise Cancelled

    with pytest.raises(Cancelled):
        engine.step(state, audio(engine, state, 2), cancel)
    _, video = engine.step(state, audio(engine, state, 2))
    assert torch.equal(video, whole[2])


def test_look_ahead_is_all_it_needs(engine, image):
    """Sound after the needed samples cannot matter: it is not there yet. The step refuses any other amount."""
    state = engine.start(engine.condition(image), 0)
    needed = engine.samples_needed(state)
    assert 13 * 640 < needed < 13 * 640 + 5 * 640
    with pytest.raises(ValueError, match="next chunk needs"):
        engine.step(state, torch.zeros(needed + 1))


def test_audio_and_prompt_change_the_picture(engine, image):
    quiet, loud = (engine.start(engine.condition(image), 0) for _ in range(2))
    _, a = engine.step(quiet, torch.zeros(engine.samples_needed(quiet)))
    _, b = engine.step(loud, audio(engine, loud, 0))
    assert not torch.equal(a, b)
    state = engine.start(engine.condition(image, "angry"), 0)
    _, c = engine.step(state, audio(engine, state, 0))
    assert not torch.equal(b, c)


def test_recondition_takes_effect_and_keeps_the_sink_of_the_same_reference(engine, image):
    state, _ = run(engine, engine.start(engine.condition(image), 0), 2)
    other = engine.recondition(state, engine.condition(image, "sad"))
    assert torch.equal(other.sink, state.sink) and other.conditioning.prompt == "sad"
    moved = engine.recondition(state, engine.condition(-image))
    assert torch.equal(moved.sink, moved.conditioning.reference)


def test_sink_is_replaced_by_the_first_generated_latent(engine, image):
    start = engine.start(engine.condition(image), 0)
    state, _ = run(engine, start, 1)
    assert not torch.equal(state.sink, start.sink)
    after, _ = run(engine, state, 2)
    assert torch.equal(after.sink, state.sink)


def test_history_stays_bounded(engine, image):
    state, _ = run(engine, engine.start(engine.condition(image), 0), 3)
    sizes = {k: v.shape for k, v in state.history.tensors().items()}
    state, _ = run(engine, state, 6)
    assert {k: v.shape for k, v in state.history.tensors().items()} == sizes


def test_guidance_of_two_differs_and_random_sink_offset_is_seeded(image):
    frames = []
    far = dataclasses.replace(debug().stream.sink, offset_random=20)
    for change in ({}, {"guidance": Guidance(audio_scale=2.0)}, {"sink": far}):
        config = debug()
        engine = Engine.build(dataclasses.replace(config, stream=dataclasses.replace(config.stream, **change)))
        torch.nn.init.normal_(engine.trunk.head.head.weight, std=0.2, generator=torch.Generator().manual_seed(0))
        runs = [torch.cat(run(engine, engine.start(engine.condition(image), 3), 2)[1], 2) for _ in range(2)]
        assert torch.equal(*runs)
        frames.append(runs[0])
    assert not torch.equal(frames[0], frames[1]) and not torch.equal(frames[0], frames[2])


def test_a_solver_remembers_within_a_chunk_only(image, tmp_path):
    """UniPC (Wan's own): a stream cut between chunks goes on as if uncut, and differs from plain Euler steps."""
    config, frames = debug(), {}
    for sampler in ("unipc", "euler"):
        stream = dataclasses.replace(config.stream, sampler=sampler, sigmas=schedules.unipc(4, 5.0))
        engine = Engine.build(dataclasses.replace(config, stream=stream))
        torch.nn.init.normal_(engine.trunk.head.head.weight, std=0.2, generator=torch.Generator().manual_seed(0))
        state, frames[sampler] = run(engine, engine.start(engine.condition(image), 0), 1)
        state.save(tmp_path / "state")
        _, whole = run(engine, state, 1)
        _, cut = run(engine, StreamState.load(tmp_path / "state", engine), 1)
        assert torch.equal(whole[0], cut[0])
    assert not torch.equal(frames["unipc"][0], frames["euler"][0])


def test_unknown_preset_and_wrong_image_say_what_to_do(engine):
    with pytest.raises(InputError, match="did you mean 'embedded'"):
        Engine.from_preset("embeded")
    with pytest.raises(ValueError, match="resize it first"):
        engine.condition(torch.zeros(3, 8, 8))
