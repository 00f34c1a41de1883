"""The trunk against golden values of the reference implementation (fixtures beside the repository, if present)."""

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from echotorrent_core.config import AudioAdapterConfig, TrunkConfig
from echotorrent_core.model.attention import sdpa
from echotorrent_core.model.dit import Trunk
from echotorrent_core.model.history import Geometry, SinkContext

SHARED = Path(os.environ.get("ECHOTORRENT_SHARED", Path(__file__).resolve().parents[3] / "shared"))
FOLDER = SHARED / "fixtures" / "dit_single"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="golden fixtures are not beside this checkout")


@pytest.fixture(scope="module")
def golden():
    meta = json.loads((FOLDER / "meta.json").read_text())
    c = meta["config"]
    audio = AudioAdapterConfig(c["audio_window"], **c["audio"])
    config = TrunkConfig(
        dim=c["dim"], ffn_dim=c["ffn_dim"], num_heads=c["num_heads"], num_layers=c["num_layers"], in_dim=c["in_dim"],
        out_dim=c["out_dim"], text_dim=c["text_dim"], text_len=c["text_len"], image_dim=c["clip_dim"],
        freq_dim=c["freq_dim"], audio=audio,
    )  # fmt: skip
    trunk = Trunk(config)
    trunk.load_state_dict(load_file(FOLDER / "weights.safetensors"))
    return trunk.eval(), load_file(FOLDER / "io.safetensors"), meta


@pytest.mark.parametrize(
    ("name", "context", "audio"),
    [
        ("cond", "context", True),
        ("drop_text", "context_null", True),
        ("drop_audio", "context", False),
        ("cond_t2", "context", True),
    ],
)
def test_whole_forward_matches(golden, name, context, audio):
    trunk, io, meta = golden
    latents, y = io["in/latent"][None], io["in/y"][None]
    windows = io["in/audio"] if audio else torch.zeros_like(io["in/audio"])
    geometry = Geometry(4, 6, trunk.config.head_dim, 10000.0, latents.device)
    with torch.no_grad():
        out = trunk(
            latents,
            torch.tensor([meta["calls"][f"out/{name}"]["t"] / 1000]),
            y,
            trunk.embed_text(io[f"in/{context}"][None]),
            trunk.audio_proj(windows),
            SinkContext(geometry, sdpa),  # everything reads everything
            trunk.img_emb(io["in/clip_fea"]),
        )[0]
    golden_out = io[f"out/{name}"]
    sign = 1 if (out - golden_out).abs().max() < (out + golden_out).abs().max() else -1
    torch.testing.assert_close(sign * out, golden_out, atol=2e-5, rtol=2e-5)
