"""The trunk against diffusers' Wan transformer with the same random weights, and what it computes in which precision.

The golden values of the reference implementations are in tests/parity.
"""

import pytest
import torch
from torch import nn

from echotorrent_core import flow
from echotorrent_core.config import AudioAdapterConfig, TrunkConfig
from echotorrent_core.model.attention import sdpa
from echotorrent_core.model.audio_adapters import AudioCrossAttention, AudioProj, clamped_windows
from echotorrent_core.model.dit import FloatLinear, Trunk
from echotorrent_core.model.history import FullContext, Geometry
from echotorrent_core.weights.layouts import diffusers_name

CONFIG = {
    "dim": 40, "ffn_dim": 72, "num_heads": 2, "num_layers": 2, "out_dim": 16, "text_dim": 24, "freq_dim": 32,
}  # fmt: skip
AUDIO = AudioAdapterConfig(blocks=2, channels=6, intermediate_dim=10, output_dim=12, context_tokens=3)


def random_trunk(**changes):
    torch.manual_seed(0)
    trunk = Trunk(TrunkConfig(**CONFIG, **changes)).eval().requires_grad_(False)
    for name, parameter in trunk.named_parameters():
        spread = 0.3 if parameter.dim() == 1 or "modulation" in name else parameter[0].numel() ** -0.5
        parameter.add_(torch.randn(parameter.shape), alpha=spread)
    return trunk


def whole(trunk, latents):
    geometry = Geometry(*trunk.grid(*latents.shape[-2:]), trunk.config.head_dim, 10000.0)
    return FullContext(geometry, sdpa)


@pytest.mark.parametrize("kind", ["t2v", "i2v"])
def test_equals_diffusers_wan_transformer(kind):
    from diffusers import WanTransformer3DModel

    image_dim, in_dim, text_len = (28, 36, 512) if kind == "i2v" else (0, 16, 20)
    trunk = random_trunk(image_dim=image_dim, in_dim=in_dim, text_len=text_len, audio=None)
    oracle = WanTransformer3DModel(
        num_attention_heads=2, attention_head_dim=20, in_channels=in_dim, out_channels=16, text_dim=24, freq_dim=32,
        ffn_dim=72, num_layers=2, image_dim=image_dim or None, added_kv_proj_dim=40 if image_dim else None,
    ).eval()  # fmt: skip
    oracle.load_state_dict({diffusers_name(name): value for name, value in trunk.state_dict().items()})
    latents, text = torch.randn(2, 16, 3, 6, 8), torch.randn(2, 7, 24)
    condition = torch.randn(2, 20, 3, 6, 8) if image_dim else None
    clip = torch.randn(2, 257, 28) if image_dim else None
    sigma = torch.tensor([0.9, 0.013])
    with torch.no_grad():
        expected = oracle(
            hidden_states=latents if condition is None else torch.cat([latents, condition], 1),
            timestep=flow.timestep(sigma),
            encoder_hidden_states=nn.functional.pad(text, (0, 0, 0, text_len - 7)),
            encoder_hidden_states_image=clip,
        ).sample
        image = None if clip is None else trunk.embed_image(clip)
        mine = trunk(latents, sigma, condition, trunk.embed_text(text), None, whole(trunk, latents), image)
    assert expected.std() > 0.5
    torch.testing.assert_close(mine, expected, atol=4e-5, rtol=4e-5)


def test_audio_of_a_latent_reaches_that_latent_only():
    torch.manual_seed(0)
    layer = AudioCrossAttention(8, 2, 6, sdpa)
    x, audio = torch.randn(1, 3, 5, 8), torch.randn(1, 3, 4, 6)
    with torch.no_grad():
        out = layer(x, audio)
        key, value = layer.kv_linear(audio).split(8, -1)
        for t in range(3):
            heads = []
            for head in (slice(0, 4), slice(4, 8)):
                scores = layer.q_linear(x)[0, t, :, head] @ key[0, t, :, head].T / 2
                heads.append(scores.softmax(-1) @ value[0, t, :, head])
            torch.testing.assert_close(out[0, t], layer.proj(torch.cat(heads, -1)))


def test_windows_repeat_the_ends_of_a_track():
    track = torch.arange(6.0)[:, None, None]
    assert clamped_windows(track, 4, 3, 5)[:, :, 0, 0].tolist() == [[2, 3, 4, 5, 5], [3, 4, 5, 5, 5], [4, 5, 5, 5, 5]]
    assert clamped_windows(track, 0, 1, 5)[0, :, 0, 0].tolist() == [0, 0, 0, 1, 2]


def test_the_first_latent_and_the_later_ones_have_projections_of_their_own():
    torch.manual_seed(0)
    module, windows = AudioProj(AUDIO), torch.randn(1, 9, 5, 2, 6)
    with torch.no_grad():
        out = module(windows)
        # Window positions of the second latent's four frames, flattened by hand.
        of_second = [(1, 0), (1, 1), (1, 2), (2, 2), (3, 2), (4, 2), (4, 3), (4, 4)]
        inputs = torch.cat([windows[0, frame, position].flatten() for frame, position in of_second])
        tail = nn.Sequential(nn.ReLU(), module.proj2, nn.ReLU(), module.proj3, nn.Unflatten(-1, (3, 12)), module.norm)
        assert out.shape == (1, 3, 3, 12)
        torch.testing.assert_close(out[0, 0], tail(module.proj1(windows[0, 0].flatten())[None])[0])
        torch.testing.assert_close(out[0, 1], tail(module.proj1_vf(inputs)[None])[0])


def test_bfloat16_weights_keep_float32_where_the_published_models_do():
    trunk = random_trunk(image_dim=0, in_dim=16, text_len=8, audio=AUDIO)
    latents, sigma = torch.randn(1, 16, 2, 4, 4), torch.tensor([0.7])
    text, windows = torch.randn(1, 5, 24), torch.randn(1, 5, 5, 2, 6)

    def run():
        tokens = trunk.audio_proj(windows)
        return trunk(latents, sigma, None, trunk.embed_text(text), tokens, whole(trunk, latents))

    seen, exact = {}, run()
    trunk.bfloat16()
    for name in ("time_embedding", "time_projection", "blocks.0", "blocks.1.ffn", "head"):
        trunk.get_submodule(name).register_forward_hook(lambda m, i, o, name=name: seen.update({name: o.dtype}))
    out = run()
    half = torch.bfloat16
    assert seen == {
        "time_embedding": torch.float32, "time_projection": torch.float32, "blocks.0": half, "blocks.1.ffn": half,
        "head": torch.float32,
    }  # fmt: skip
    assert out.dtype == torch.float32
    error = (out - exact).abs().mean() / exact.std()
    assert 0 < error < 0.02


def test_a_float_linear_rounds_its_weights_only():
    torch.manual_seed(0)
    layer, x = FloatLinear(64, 1100).bfloat16(), torch.randn(3, 64)
    expected = x.double() @ layer.weight.double().T + layer.bias.double()
    torch.testing.assert_close(layer(x).double(), expected, atol=1e-6, rtol=1e-6)
