"""A rollout in training is the stream; gradients are those of the exit step, whatever is kept or run again."""

import dataclasses
import gc
import weakref

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter
from torch.utils.checkpoint import checkpoint

from echotorrent_core.conditioning.audio import AudioEncoder
from echotorrent_core.conditioning.text import WordEncoder, parse_prompt
from echotorrent_core.model.dit import Trunk
from echotorrent_core.model.history import WritePolicy
from echotorrent_core.model.ring import Ring
from echotorrent_core.presets import debug, staggered
from echotorrent_core.stream import Engine
from echotorrent_core.vae.causal import CausalVAE
from training.denoiser import Denoiser
from training.rollout import Rollout, exit_policy, latents_of, part, sample

POLICIES = ["per_step", "last_step", "clean"]


@pytest.fixture(scope="module")
def student():
    torch.manual_seed(0)
    config = debug()
    return Denoiser(Trunk(config.trunk), WordEncoder(config.text)).eval()  # the head's own initialisation, not zeros


def config_of(write="per_step", **stream):
    base = debug()
    changes = {"cache_write": write, "sigmas": (1.0, 0.75, 0.4)} | stream
    return dataclasses.replace(base, stream=dataclasses.replace(base.stream, **changes))


def batch_of(latents, size=2, first=True, seed=0):
    g = torch.Generator().manual_seed(seed)
    frames = 4 * latents - 3 * first + 4
    return {
        "latents": torch.zeros(size, 4, latents, 4, 4),
        "reference": torch.randn(size, 4, 1, 4, 4, generator=g),
        "features": torch.randn(size, frames, 39, generator=g),
        "ids": torch.tensor([[0, 5, 10]] * size),
        "mask": torch.rand(size, 1, latents, 4, 4, generator=g),
        "first": torch.tensor(first),
    }


def roll(student, config, batch, exit_step=None, seed=3, **options):
    rollout = Rollout(config, batch["reference"])
    return rollout.window(student, batch, torch.Generator().manual_seed(seed), exit_step, **options)


def gradients(student, loss):
    student.zero_grad()
    loss.backward()
    return {name: p.grad.clone() for name, p in student.named_parameters() if p.grad is not None}


def assert_same(a, b, **tolerance):
    assert a.keys() == b.keys() and len(a) > 50
    for name in a:
        torch.testing.assert_close(a[name], b[name], msg=lambda text, name=name: f"{name}: {text}", **tolerance)


# The stream


def spied_stream(student, config, chunks):
    """Latents of an engine's stream, and what it drew and heard on the way."""
    parts = (CausalVAE(config.vae), AudioEncoder(config.audio), student.text)
    engine = Engine(config, student.trunk, *parts)
    student.requires_grad_(True)
    seen = {"latents": [], "features": [], "generators": []}
    noise, tokens, decode = engine.noise, engine.audio_tokens, engine.chunks.decode
    engine.noise = lambda state: seen["generators"].append(state.generator.get_state()) or noise(state)
    engine.audio_tokens = lambda features: seen["features"].append(features.clone()) or tokens(features)
    engine.chunks.decode = lambda vae, state, x: seen["latents"].append(x.clone()) or decode(vae, state, x)
    image = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    state = engine.start(engine.condition(image, "happy, looking left"), seed=5)
    speech = torch.Generator().manual_seed(2)
    for _ in range(chunks):
        samples = 0.1 * torch.randn(engine.samples_needed(state), generator=speech)
        state, _ = engine.step(state, samples)
    margin = 2
    features = [seen["features"][0]] + [f[:, 2 * margin :] for f in seen["features"][1:]]
    batch = {
        "reference": state.conditioning.reference,
        "features": torch.cat(features, dim=1),
        "ids": torch.tensor([parse_prompt("happy, looking left").ids()]),
        "first": torch.tensor(True),
    }
    return torch.cat(seen["latents"], dim=2), {k: v.clone() for k, v in batch.items()}, seen["generators"]


@pytest.mark.parametrize("write", POLICIES)
@pytest.mark.parametrize("source", ["reference", "first_generated"])
@pytest.mark.parametrize("sampler", ["renoise", "unipc"])
def test_a_rollout_is_the_engines_stream(student, write, source, sampler):
    """Five chunks through a history of three, from the same draws."""
    base = config_of(write, sampler=sampler, sigmas=(0.99, 0.75, 0.4))
    config = dataclasses.replace(
        base, stream=dataclasses.replace(base.stream, sink=dataclasses.replace(base.stream.sink, source=source))
    )
    assert_streams(student, config)


def test_a_history_of_broken_chunks_in_few_bits_is_the_engines_too(student):
    config = dataclasses.replace(config_of(history_dtype="float8_e4m3fn"), layers=staggered(4, history=6))
    assert_streams(student, config)


def assert_streams(student, config):
    expected, batch, draws = spied_stream(student, config, 5)
    rollout, generator, parts = Rollout(config, batch["reference"]), torch.Generator(), []
    assert latents_of(batch, rollout.margin) == 20
    for c, state in enumerate(draws):
        generator.set_state(state)
        told = part(batch, 4 * c, 4 * c + 4, rollout.margin)
        parts.append(rollout.window(student, told, generator).final)
    torch.testing.assert_close(torch.cat(parts, 2), expected, atol=2e-4, rtol=1e-3)


def test_side_by_side_is_chunk_by_chunk(student):
    """At every exit step, where the sink stays the reference. Euler, because fresh noise is drawn in another order."""
    base = config_of(sampler="euler", history_dtype=None)
    sink = dataclasses.replace(base.stream.sink, source="reference")
    config = dataclasses.replace(base, stream=dataclasses.replace(base.stream, sink=sink))
    batch = batch_of(16)
    noise = torch.randn(batch["latents"].shape, generator=torch.Generator().manual_seed(7))
    for step in range(3):
        whole = sample(student, config, batch, torch.Generator().manual_seed(7), step)
        rollout, parts = Rollout(config, batch["reference"]), []
        for c in range(4):
            start = noise[:, :, 4 * c : 4 * c + 4]
            told = part(batch, 4 * c, 4 * c + 4, 2)
            parts.append(rollout.window(student, told, Fixed(start), step, ends=True).x0)
        torch.testing.assert_close(whole, torch.cat(parts, 2), atol=3e-5, rtol=1e-4)
    with pytest.raises(ValueError, match="per_step"):
        sample(student, config_of("clean"), batch, torch.Generator())


class Fixed(torch.Generator):
    """A generator whose first normal draw is given; only `torch.randn` below looks at it."""

    def __new__(cls, noise):
        self = super().__new__(cls)
        self.noise = noise
        return self


@pytest.fixture(autouse=True)
def fixed_draws(monkeypatch):
    randn = torch.randn

    def draw(*shape, generator=None, **options):
        if isinstance(generator, Fixed):
            return generator.noise.clone()
        return randn(*shape, generator=generator, **options)

    monkeypatch.setattr(torch, "randn", draw)


# Exit steps


@pytest.mark.parametrize("write", POLICIES)
def test_an_early_exit_gives_that_steps_estimate_and_its_policys_history(student, write):
    """`per_step` goes on to the end for the history's sake, the others end with the exit step."""
    config, batch = config_of(write), batch_of(8)
    early, whole = roll(student, config, batch, 1), roll(student, config, batch)
    assert torch.equal(whole.x0, whole.final)
    same_history = torch.equal(early.final[:, :, :4], whole.final[:, :, :4])
    assert same_history == (write == "per_step")
    if write == "per_step":
        assert torch.equal(early.final, whole.final) and not torch.equal(early.x0, early.final)
    else:
        assert torch.equal(early.x0, early.final)


def test_the_steps_to_run_are_the_policys():
    for name in POLICIES:
        policy = WritePolicy(name, 4)
        assert exit_policy(policy, 3, complete=True) == policy
    assert exit_policy(WritePolicy("per_step", 4), 1, complete=True).steps == 4
    assert exit_policy(WritePolicy("per_step", 4), 1, complete=False).steps == 2
    last = exit_policy(WritePolicy("last_step", 4), 1, complete=True)
    assert [last.write(i) for i in range(last.steps)] == [None, 0]


def test_a_window_that_ends_gives_the_same_estimates_in_fewer_passes(student):
    config, batch = config_of(), batch_of(12)
    calls = []
    handle = student.register_forward_pre_hook(lambda *_: calls.append(1))
    a, long = roll(student, config, batch, 0), len(calls)
    # With one step less, fewer numbers are drawn: each chunk starts from the same ones only if they are given.
    rollout, short = Rollout(config, batch["reference"]), len(calls)
    b = rollout.window(student, batch, torch.Generator().manual_seed(3), 0, ends=True)
    short = len(calls) - short
    handle.remove()
    assert (long, short) == (9, 5)  # the first chunk is run to its end: it becomes the sink
    assert torch.equal(a.x0[:, :, :4], b.x0[:, :, :4])


# Gradients


@pytest.mark.parametrize(("write", "exit_step"), [("per_step", 0), ("per_step", 2), ("last_step", 2), ("clean", 1)])
def test_run_again_or_kept_the_gradients_are_the_same(student, write, exit_step):
    """Two-phase against direct, over a history that the last chunk evicts from."""
    config, batch = config_of(write), batch_of(16, size=1)
    results = []
    for two_phase in (False, True):
        x0 = roll(student, config, batch, exit_step, graded=range(4), two_phase=two_phase).x0
        weights = torch.linspace(1, 2, x0.numel()).reshape(x0.shape)
        results.append((x0.detach(), gradients(student, (weights * x0.square()).mean())))
    (x_direct, direct), (x_again, again) = results
    assert torch.equal(x_direct, x_again)
    assert_same(direct, again, atol=1e-6, rtol=1e-4)


def test_checkpointed_blocks_give_the_same_gradients(student):
    config, batch = config_of(), batch_of(16, size=1)

    def grads():
        return gradients(student, roll(student, config, batch, 1, graded=range(4), two_phase=False).x0.square().mean())

    expected = grads()
    blocks = list(student.trunk.blocks)
    for block in blocks:
        forward = block.forward
        block.forward = lambda *a, f=forward, **k: checkpoint(f, *a, use_reentrant=False, **k)
    try:
        assert_same(expected, grads(), atol=1e-6, rtol=1e-4)
    finally:
        for block in blocks:
            del block.forward


def test_only_the_graded_chunks_exit_step_has_a_gradient(student):
    """The gradient of a chunk is that of one pass over its recorded input: none through earlier steps, keys, values."""
    config, batch = config_of(history_dtype=None, sampler="euler"), batch_of(12)
    passes = []
    handle = student.register_forward_pre_hook(
        lambda module, args, kwargs: passes.append((torch.is_grad_enabled(), args, kwargs)), with_kwargs=True
    )
    rolled = roll(student, config, batch, 1, graded=[2], two_phase=False)
    handle.remove()
    graded = [(args, kwargs) for enabled, args, kwargs in passes if enabled]
    assert len(passes) == 9 and len(graded) == 1
    args, kwargs = graded[0]
    assert not args[1].requires_grad and not rolled.final.requires_grad
    history = kwargs["context"].args[1]
    assert history.written == 8 and not any(t.requires_grad for t in history.tensors().values())
    expected = gradients(student, student(*args, **kwargs).square().sum())
    assert_same(expected, gradients(student, rolled.x0[:, :, 8:].square().sum()), atol=1e-6, rtol=1e-4)


class LiveBytes(TorchDispatchMode):
    """Bytes of all tensors made under it that are still alive, and the most there were."""

    def __init__(self):
        super().__init__()
        self.now, self.peak, self.known = 0, 0, set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for tensor in tree_iter(out):
            if isinstance(tensor, torch.Tensor):
                storage = tensor.untyped_storage()
                key = storage._cdata
                if key not in self.known:
                    self.known.add(key)
                    self.now += storage.nbytes()
                    self.peak = max(self.peak, self.now)
                    weakref.finalize(storage, self.freed, key, storage.nbytes())
        return out

    def freed(self, key, size):
        self.known.discard(key)
        self.now -= size


def peak(student, latents, two_phase):
    config, batch = config_of(), batch_of(latents, size=3)
    student.zero_grad()
    with LiveBytes() as memory:
        loss = roll(student, config, batch, 2, graded=range(latents // 4), two_phase=two_phase).x0.square().mean()
        kept = memory.now
        loss.backward()
    return kept, memory.peak


def test_two_phase_memory_is_one_chunks_activations(student):
    peak(student, 4, True)  # gradients and cached masks exist from here on
    _, one = peak(student, 4, False)
    kept_direct, direct = peak(student, 16, False)
    kept, two_phase = peak(student, 16, True)
    assert direct > 2.5 * one  # activations of four chunks
    assert two_phase < 1.5 * one and kept < 0.2 * kept_direct


def test_what_waits_for_the_backward_pass_is_one_slot_of_each_chunk_once(student):
    """Later chunks see more of the same latents: views share them, and the other steps' slots are let go."""
    config, batch = config_of(), batch_of(16)
    x0 = roll(student, config, batch, 2, graded=range(4), ends=True).x0
    latent = 2 * 4 * 24 * 2  # samples, tokens, width, bytes of bfloat16
    assert ring_bytes() == 12 * latent * 2 * 2  # K and V of the two layers that have a history
    x0.sum().backward(retain_graph=True)
    assert ring_bytes() == 12 * latent * 2 * 2  # running passes again leaves nothing


def ring_bytes():
    gc.collect()
    rings = [ring.data.untyped_storage() for ring in gc.get_objects() if type(ring) is Ring]
    return sum({storage.data_ptr(): storage.nbytes() for storage in rings}.values())


# State


@pytest.mark.parametrize("write", POLICIES)
def test_a_restored_rollout_goes_on_as_if_uncut(student, write):
    config, windows = config_of(write), [batch_of(8, seed=1), batch_of(8, first=False, seed=2)]
    generator = torch.Generator().manual_seed(0)
    rollout = Rollout(config, windows[0]["reference"])
    rollout.window(student, windows[0], generator)
    state = {k: v.clone() for k, v in rollout.state().items()}
    drawn = generator.get_state()
    expected = [rollout.window(student, windows[1], generator).final for _ in range(2)]
    restored = Rollout(config, windows[0]["reference"])
    restored.load_state(state)
    generator.set_state(drawn)
    for window in expected:
        assert torch.equal(restored.window(student, windows[1], generator).final, window)


def test_recaching_under_the_same_words_changes_nothing_and_under_others_much(student):
    """A clean cache draws no noise, so the history made again is the history; its first chunk had the reference as
    sink."""
    config, batch = config_of("clean"), batch_of(4)
    rollout = Rollout(config, batch["reference"])
    latents = rollout.window(student, batch, torch.Generator().manual_seed(0)).final
    before = {k: v.clone() for k, v in rollout.history.tensors().items()}
    rollout.sink = batch["reference"]
    rollout.recache(student, batch, latents, torch.Generator())
    again = rollout.history.tensors()
    assert before.keys() == again.keys() and all(torch.equal(before[k], again[k]) for k in before)
    rollout.recache(student, batch | {"ids": batch["ids"] + 1}, latents, torch.Generator())
    other = rollout.history.tensors()
    deep = [k for k in other if k.startswith("0.2.")]  # the first layer has not read the words yet
    assert deep and all((other[k] - before[k]).abs().max() > 0.02 for k in deep)


def test_recaching_fills_every_slot_at_its_own_level(student):
    batch = batch_of(12)
    for write, levels in (("per_step", [1.0, 0.75, 0.4]), ("last_step", [0.4]), ("clean", [0.0])):
        rollout = Rollout(config_of(write), batch["reference"])
        latents = rollout.window(student, batch, torch.Generator().manual_seed(0)).final
        seen = []
        handle = student.register_forward_pre_hook(lambda m, args, seen=seen: seen.append(float(args[2][0, 0])))
        rollout.recache(student, batch, latents, torch.Generator())
        handle.remove()
        assert seen == pytest.approx(levels * 3)
        assert rollout.history.written == 12 and rollout.chunks == 3
