"""The policies of attention against dense attention, recomputation and the sequence view."""

import dataclasses

import pytest
import torch

from echotorrent_core.config import LayerPolicy, SinkConfig
from echotorrent_core.model.attention import BACKENDS, get_attention, sdpa
from echotorrent_core.model.dit import Trunk
from echotorrent_core.model.history import (
    Geometry,
    History,
    RollingContext,
    SequenceContext,
    SinkContext,
    Window,
    WritePolicy,
)
from echotorrent_core.model.rope import rotate, split_pairs
from echotorrent_core.model.sink import condition_channels, sink_kv
from echotorrent_core.presets import debug

HEADS, DIM, CHUNK, TOKENS = 2, 12, 4, 4
CPU = torch.device("cpu")
GEOMETRY = Geometry(2, 2, DIM, 10000.0)
WINDOW = Window.of(SinkConfig(), 8, CHUNK)


def qkv(chunks, seed=0):
    g = torch.Generator().manual_seed(seed)
    return [torch.randn(1, chunks * CHUNK * TOKENS, HEADS, DIM, generator=g) for _ in range(3)]


def sink_of(seed=9):
    g = torch.Generator().manual_seed(seed)
    return [(torch.randn(1, TOKENS, HEADS, DIM, generator=g), torch.randn(1, TOKENS, HEADS, DIM, generator=g))]


def rolling(policy, history, sink, q, k, v):
    context = RollingContext([policy], GEOMETRY, WINDOW, sdpa, sink, history, 0, 0)
    return context.attend(0, q, k, v)


def stream(policy, q, k, v, sink):
    history, out = History([policy], 1, TOKENS), []
    for c in range(q.shape[1] // (CHUNK * TOKENS)):
        part = slice(c * CHUNK * TOKENS, (c + 1) * CHUNK * TOKENS)
        out.append(rolling(policy, history, sink, q[:, part], k[:, part], v[:, part]))
        history.commit(CHUNK)
    return torch.cat(out, 1)


def dense(policy, q, k, v, sink):
    """One attention per chunk over the explicit list of everything it may read."""
    out = []
    for c in range(q.shape[1] // (CHUNK * TOKENS)):
        rows = []
        for t in range(CHUNK):
            index = c * CHUNK + t
            last = index if policy.in_chunk == "frame_causal" else (c + 1) * CHUNK - 1
            seen = list(range(max(0, c * CHUNK - policy.history), last + 1))
            token = [i * TOKENS + n for i in seen for n in range(TOKENS)]
            positions = [0] + [WINDOW.start + i - c * CHUNK for i in seen]
            keys = rotate(torch.cat([sink[0][0], k[:, token]], 1), GEOMETRY.rotations(positions, CPU))
            values = torch.cat([sink[0][1], v[:, token]], 1)
            own = q[:, index * TOKENS : (index + 1) * TOKENS]
            scores = torch.einsum("bqhd,bkhd->bhqk", rotate(own, GEOMETRY.rotations([WINDOW.start + t], CPU)), keys)
            weights = (scores / DIM**0.5).softmax(-1)
            rows.append(torch.einsum("bhqk,bkhd->bqhd", weights, values))
        out += rows
    return torch.cat(out, 1)


POLICIES = [
    LayerPolicy(8, "frame_causal"),
    LayerPolicy(0, "full"),
    LayerPolicy(8, "full"),
    LayerPolicy(3, "frame_causal"),
]


@pytest.mark.parametrize("policy", POLICIES)
def test_ring_equals_dense_attention_over_the_list(policy):
    q, k, v = qkv(6)
    torch.testing.assert_close(
        stream(policy, q, k, v, sink_of()), dense(policy, q, k, v, sink_of()), atol=2e-6, rtol=1e-5
    )


@pytest.mark.parametrize("policy", POLICIES)
def test_one_pass_over_a_sequence_equals_the_sequential_cache(policy):
    q, k, v = qkv(5)
    whole = SequenceContext([policy], GEOMETRY, WINDOW, sdpa, sink_of()).attend(0, q, k, v)
    torch.testing.assert_close(whole, stream(policy, q, k, v, sink_of()), atol=2e-6, rtol=1e-5)


def test_an_aborted_chunk_leaves_the_history_as_it_was():
    policy, (q, k, v) = POLICIES[0], qkv(1)
    history = History([policy], 1, TOKENS)
    rolling(policy, history, sink_of(), q, k, v)
    history.commit(CHUNK)
    before = {key: value.clone() for key, value in history.tensors().items()}
    rolling(policy, history, sink_of(), *qkv(1, seed=5))
    history.discard()
    history_after = history.tensors()
    assert all(torch.equal(before[key], history_after[key]) for key in before)
    assert history.written == CHUNK


def test_a_saved_history_reads_the_same():
    policy, (q, k, v) = POLICIES[0], qkv(1)
    history = History([policy], 1, TOKENS)
    for seed in range(5):
        rolling(policy, history, sink_of(), *qkv(1, seed=seed))
        history.commit(CHUNK)
    copy = History([policy], 1, TOKENS)
    copy.load_tensors(history.tensors(), history.written)
    assert torch.equal(rolling(policy, history, sink_of(), q, k, v), rolling(policy, copy, sink_of(), q, k, v))


def test_shift_by_a_million_latents_changes_nothing():
    policy, (q, k, v) = POLICIES[0], qkv(1)
    history = History([policy], 1, TOKENS)
    for seed in range(4):
        rolling(policy, history, sink_of(), *qkv(1, seed=seed))
        history.commit(CHUNK)
    expected = rolling(policy, history, sink_of(), q, k, v)
    history.written += 1_000_000  # a multiple of the capacity, so that the physical order stays
    assert torch.equal(rolling(policy, history, sink_of(), q, k, v), expected)


@pytest.mark.parametrize(
    ("name", "slots", "reads", "writes", "extra"),
    [
        ("per_step", 3, [0, 1, 2], [0, 1, 2], False),
        ("last_step", 1, [0, 0, 0], [None, None, 0], False),
        ("clean", 1, [0, 0, 0], [None, None, None], True),
    ],
)
def test_write_policies(name, slots, reads, writes, extra):
    policy = WritePolicy(name, 3)
    assert policy.slots == slots and policy.extra_pass == extra
    assert [policy.read(i) for i in range(3)] == reads
    assert [policy.write(i) for i in range(3)] == writes


def test_rope_split_is_wans():
    assert split_pairs(128) == (22, 21, 21)


@pytest.mark.parametrize("sigma", [1.0, 0.5])
def test_trunk_sequence_equals_trunk_chunk_by_chunk(sigma):
    """Teacher forcing through the whole network equals the cache filled chunk by chunk (per-step policy)."""
    config = dataclasses.replace(debug(), layers=(POLICIES[0], POLICIES[1], POLICIES[2], POLICIES[3]))
    torch.manual_seed(0)
    trunk = Trunk(config.trunk)
    c, g = config.trunk.out_dim, torch.Generator().manual_seed(1)
    latents = torch.randn(1, c, 16, 4, 4, generator=g)
    reference = torch.randn(1, c, 1, 4, 4, generator=g)
    audio = torch.randn(1, 16, 2, 24, generator=g)
    text = trunk.embed_text(torch.randn(1, 3, 32, generator=g))
    geometry = Geometry(2, 2, config.trunk.head_dim, 10000.0)
    window = Window.of(config.stream.sink, 8, CHUNK)
    with torch.no_grad():
        sink = sink_kv(trunk, geometry, reference, reference, text)
        level = torch.full((1, 16), sigma)
        condition = condition_channels(reference, 16, True)
        sequence = SequenceContext(config.layers, geometry, window, sdpa, sink)
        whole = trunk(latents, level, condition, text, audio, sequence)
        history, parts = History(config.layers, 1, 4), []
        for i in range(0, 16, CHUNK):
            chunk = slice(i, i + CHUNK)
            context = RollingContext(config.layers, geometry, window, sdpa, sink, history, 0, 0)
            args = (latents[:, :, chunk], level[:, chunk], condition[:, :, chunk], text, audio[:, chunk], context)
            parts.append(trunk(*args))
            history.commit(CHUNK)
    torch.testing.assert_close(whole, torch.cat(parts, 2), atol=2e-5, rtol=1e-4)
    assert whole.std() > 0.1  # a trunk that outputs nothing would pass


def test_the_sink_reads_only_itself():
    context = SinkContext(GEOMETRY, sdpa)
    q, k, v = (x[:, :TOKENS] for x in qkv(1))
    out = context.attend(0, q, k, v)
    rotations = GEOMETRY.rotations([0], CPU)
    torch.testing.assert_close(out, sdpa(rotate(q, rotations), rotate(k, rotations), v))
    assert context.kv[0][0] is k  # kept unrotated


@pytest.mark.parametrize("name", [n for n in BACKENDS if n != "xformers"])
def test_backends_agree(name):
    q, k, v = (x[:, :16] for x in qkv(1))
    mask = torch.zeros(16, 16).masked_fill(torch.ones(16, 16).triu(1).bool(), float("-inf"))
    attention = get_attention(name)
    torch.testing.assert_close(attention(q, k, v, mask), sdpa(q, k, v, mask), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(attention(q, k, v, None), sdpa(q, k, v), atol=1e-5, rtol=1e-4)


def test_unknown_backend_suggests_one():
    with pytest.raises(ValueError, match="did you mean 'sdpa'"):
        get_attention("spda")


def test_what_generation_cached_can_be_trained_with():
    fresh = Geometry(2, 2, DIM, 12345.0)  # rotations nobody has asked for yet
    policy, (q, k, v) = POLICIES[0], qkv(2)
    window = Window.of(SinkConfig(offset=3), 8, CHUNK)
    context = SequenceContext([policy], fresh, window, sdpa, sink_of())
    with torch.inference_mode():
        context.attend(0, q, k, v)
    q.requires_grad_()
    context.attend(0, q, k, v).sum().backward()
    assert q.grad is not None
