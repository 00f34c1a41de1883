"""Two speakers: against a slow computation written out from the description, token by token and pair by pair."""

import math

import pytest
import torch

from echotorrent_core.config import AudioAdapterConfig, LayerPolicy, SinkConfig, TrunkConfig
from echotorrent_core.model import speakers
from echotorrent_core.model.attention import sdpa
from echotorrent_core.model.audio_adapters import AudioCrossAttention
from echotorrent_core.model.dit import Trunk
from echotorrent_core.model.history import FullContext, Geometry, History, RollingContext, SequenceContext, Window

HEADS, DIM, ROWS, COLUMNS = 2, 12, 3, 4
TOKENS = ROWS * COLUMNS
GEOMETRY = Geometry(ROWS, COLUMNS, DIM, 10000.0)


def masks():
    """Speaker 1 on the left, 2 on the right, unequal, with background between."""
    return speakers.box_masks([(0, 0, 2, 1), (1, 2, 3, 4)], ROWS, COLUMNS).flatten(1)


def slow_map(q, keys, masks):
    """One sample, token by token: softmax over the reference's keys, summed under each mask over its area."""
    out = torch.zeros(masks.shape[0], q.shape[0])
    for token in range(q.shape[0]):
        for head in range(q.shape[1]):
            scores = [float(q[token, head] @ key[head]) / math.sqrt(q.shape[2]) for key in keys]
            total = sum(math.exp(s) for s in scores)
            for row, mask in enumerate(masks):
                inside = sum(math.exp(s) / total for s, m in zip(scores, mask, strict=True) if m > 0)
                out[row, token] += inside / int((mask > 0).sum()) / q.shape[1]
    return out


def slow_positions(reference_map):
    first, second = ([float(x) for x in reference_map[row]] for row in (0, 1))
    out = []
    for token in range(reference_map.shape[1]):
        column = [float(x) for x in reference_map[:, token]]
        if column[0] == max(column):
            out.append(4 * (first[token] - min(first)) / (max(first) - min(first)))
        elif column[1] == max(column):
            out.append(20 + 4 * (second[token] - min(second)) / (max(second) - min(second)))
        else:
            out.append(12.0)
    return out


def slow_rotate(x, position):
    """One head's vector: pair i turned by position * 10000^(-2i / D)."""
    out = x.clone()
    for i in range(len(x) // 2):
        angle = position * 10000 ** (-2 * i / len(x))
        a, b = float(x[2 * i]), float(x[2 * i + 1])
        out[2 * i] = a * math.cos(angle) - b * math.sin(angle)
        out[2 * i + 1] = a * math.sin(angle) + b * math.cos(angle)
    return out


def slow_audio_attention(layer, x, audio, positions):
    """x (T, n, dim), audio (T, A, dim), positions of all tokens."""
    dim, heads, out = x.shape[-1], layer.num_heads, torch.zeros_like(x)
    width, half = dim // heads, audio.shape[1] // 2
    for t in range(x.shape[0]):
        kv = layer.kv_linear(audio[t])
        for token in range(x.shape[1]):
            q, parts = layer.q_linear(x[t, token]), []
            for head in range(heads):
                place = slice(head * width, (head + 1) * width)
                query = slow_rotate(q[place], positions[t * x.shape[1] + token])
                keys = [slow_rotate(row[:dim][place], 2.0 if a < half else 22.0) for a, row in enumerate(kv)]
                weights = torch.stack([query @ key for key in keys]).div(math.sqrt(width)).softmax(0)
                parts.append(sum(w * row[dim:][place] for w, row in zip(weights, kv, strict=True)))
            out[t, token] = layer.proj(torch.cat(parts))
    return out


@torch.no_grad()
def test_a_block_with_two_speakers_equals_the_slow_computation():
    torch.manual_seed(0)
    audio = AudioAdapterConfig(blocks=1, channels=4, intermediate_dim=8, output_dim=10, context_tokens=2)
    config = TrunkConfig(
        dim=HEADS * DIM, ffn_dim=32, num_heads=HEADS, num_layers=2, in_dim=4, out_dim=4, text_dim=8, text_len=3,
        image_dim=0, freq_dim=16, audio=audio,
    )  # fmt: skip
    trunk = Trunk(config).eval()
    for block in trunk.blocks:  # sharp attention, so that all three classes win somewhere
        block.self_attn.norm_q.weight.fill_(3.0)
    rotated, heard = [], []

    class Watched(FullContext):
        def reference(self, layer, q, k):
            rotated.append(super().reference(layer, q, k))
            return rotated[-1]

    for block in trunk.blocks:
        block.audio_cross_attn.register_forward_hook(lambda module, inputs, output: heard.append((inputs, output)))
    latents, tokens = torch.randn(1, 4, 3, 2 * ROWS, 2 * COLUMNS), torch.randn(2, 3, 2, 10)
    text = trunk.embed_text(torch.randn(1, 3, 8))
    joined, sigma = speakers.join(tokens), torch.tensor([0.6])
    trunk(latents, sigma, None, text, joined, Watched(GEOMETRY, sdpa), None, masks())
    assert len(heard) == 2
    for block, (q, keys), ((x, audio, positions), output) in zip(trunk.blocks, rotated, heard, strict=True):
        expected = slow_positions(slow_map(q[0], keys[0], masks()))
        assert len({round(x / 12) for x in expected}) == 3, "all three classes must occur"
        torch.testing.assert_close(positions[0], torch.tensor(expected), atol=1e-4, rtol=1e-4)
        slow = slow_audio_attention(block.audio_cross_attn, x[0], audio[0], expected)
        torch.testing.assert_close(output[0], slow, atol=2e-5, rtol=1e-4)


def test_a_query_in_the_middle_of_a_range_hears_that_voice():
    torch.manual_seed(0)
    layer = AudioCrossAttention(4 * 32, 4, 6, sdpa)
    torch.nn.init.zeros_(layer.q_linear.weight)
    torch.nn.init.ones_(layer.q_linear.bias)
    torch.nn.init.zeros_(layer.kv_linear.weight)
    torch.nn.init.constant_(layer.kv_linear.bias[:128], 1.0)  # equal keys: only positions decide
    layer.kv_linear.weight.data[128:] = torch.randn(128, 6)
    x, audio = torch.randn(1, 1, 2, 128), torch.randn(1, 1, 2, 6)
    with torch.no_grad():
        voices = layer.proj(layer.kv_linear(audio)[..., 128:])
        heard = layer(x, audio, torch.tensor([[2.0, 22.0]]))
    distance = torch.cdist(heard[0, 0], voices[0, 0])
    assert distance[0, 0] < distance[0, 1] and distance[1, 1] < distance[1, 0]


def test_keys_stand_in_the_middles_of_the_ranges():
    assert speakers.key_positions(4, torch.device("cpu")).tolist() == [2, 2, 22, 22]
    joined = speakers.join(torch.arange(2.0)[:, None, None, None].expand(2, 3, 2, 5))
    assert joined.shape == (1, 3, 4, 5) and joined[0, 0, :, 0].tolist() == [0, 0, 1, 1]


def test_chunks_in_a_stream_see_the_reference_as_one_pass_does():
    g = torch.Generator().manual_seed(0)
    policies, window = [LayerPolicy(4, "frame_causal")], Window.of(SinkConfig(), 4, 2)
    q, k = (torch.randn(1, 6 * TOKENS, HEADS, DIM, generator=g) for _ in range(2))
    sink = [(torch.randn(1, TOKENS, HEADS, DIM, generator=g), torch.randn(1, TOKENS, HEADS, DIM, generator=g))]
    sequence = SequenceContext(policies, GEOMETRY, window, sdpa, sink).reference(0, q, k)
    whole = speakers.reference_map(*sequence, masks(), sdpa)
    history = History(policies, 1, TOKENS)
    for chunk in range(3):
        part = slice(chunk * 2 * TOKENS, (chunk + 1) * 2 * TOKENS)
        context = RollingContext(policies, GEOMETRY, window, sdpa, sink, history, 0, 0)
        own = speakers.reference_map(*context.reference(0, q[:, part], k[:, part]), masks(), sdpa)
        torch.testing.assert_close(own, whole[:, :, part], atol=1e-6, rtol=1e-5)
    # The keys are those the stream's attention reads at the sink.
    seen = []
    context.attention = lambda q, k, v, mask: seen.append((q, k)) or q
    context.attend(0, q[:, part], k[:, part], k[:, part])
    queries, keys = context.reference(0, q[:, part], k[:, part])
    assert torch.equal(seen[0][0], queries) and torch.equal(seen[0][1][:, :TOKENS], keys)


def test_a_window_shows_the_reference_in_its_first_latent():
    q, k, v = (torch.randn(1, 3 * TOKENS, HEADS, DIM) for _ in range(3))
    seen = []
    context = FullContext(GEOMETRY, lambda q, k, v, mask: seen.append((q, k)) or q)
    context.attend(0, q, k, v)
    queries, keys = context.reference(0, q, k)
    assert torch.equal(seen[0][0], queries) and torch.equal(seen[0][1][:, :TOKENS], keys)


def test_rows_of_the_map_are_shares_of_the_reference():
    torch.manual_seed(0)
    q, keys, areas = torch.randn(1, 5, HEADS, DIM), torch.randn(1, TOKENS, HEADS, DIM), masks()
    out = speakers.reference_map(q, keys, areas, sdpa)
    torch.testing.assert_close((out * areas.sum(1)[:, None]).sum(1), torch.ones(1, 5))  # the masks cover it once
    empty = torch.cat([areas[:2], torch.zeros(1, TOKENS)])
    assert speakers.reference_map(q, keys, empty, sdpa)[0, 2].tolist() == [0] * 5
    flat = speakers.positions(torch.full((1, 3, 4), 0.1))
    assert torch.isfinite(flat).all()


def test_masks_of_the_halves_follow_the_published_pipeline():
    # A picture of 70 x 101 pixels, covered by 32 x 48 and cut, seen on latents of 4 x 6.
    picture = speakers.box_masks(speakers.default_boxes(70, 101), 70, 101)
    covering = torch.nn.functional.interpolate(picture[None], (34, 48), mode="nearest")[0]
    latents = speakers.token_masks(covering[:, 1:33], 4, 6).reshape(3, 4, 6)
    left = [[0, 0, 0, 0, 0, 0]] + 3 * [[0, 1, 1, 0, 0, 0]]
    right = [[0, 0, 0, 0, 0, 0]] + 3 * [[0, 0, 0, 0, 1, 1]]
    assert latents[0].tolist() == left and latents[1].tolist() == right
    assert torch.equal(latents[2], 1 - latents[0] - latents[1])


def test_boxes_name_rows_first_and_must_hold_a_pixel():
    masks = speakers.box_masks([(1, 0, 2, 3), (0, 4, 9, 9)], 3, 6)
    assert masks[0].nonzero().tolist() == [[1, 0], [1, 1], [1, 2]]
    assert masks[1].nonzero().tolist() == [[row, column] for row in range(3) for column in (4, 5)]
    with pytest.raises(ValueError, match=r"box \(0, 6, 3, 8\) holds no pixel of a picture of 3 x 6"):
        speakers.box_masks([(0, 6, 3, 8)], 3, 6)
