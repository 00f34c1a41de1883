"""The decoder refiner pairs the student's latents with the very pixels they stand for."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from echotorrent_core.presets import debug
from echotorrent_core.vae.causal import CausalVAE
from training.methods.decoder_refiner import LENGTH, PRIME, PairedCrops, Refiner


class Clips:
    """Frames whose three channels are time, row of cells and column of cells."""

    def __len__(self):
        return 2

    def frames(self, i):
        frames = np.zeros((66, 128, 128, 3), np.uint8)
        frames[..., 0] = np.arange(66)[:, None, None]
        frames[..., 1] = (np.arange(128) // 8)[None, :, None]
        frames[..., 2] = (np.arange(128) // 8)[None, None]
        return frames

    def labels(self, i):
        return {"mouth_box": np.tile(np.array([40, 80, 88, 104], np.float32), (66, 1))}


@pytest.fixture
def data(tmp_path):
    latents = torch.zeros(2, 3, 17, 16, 16)
    latents[:, 0] = torch.arange(17)[None, :, None, None]
    latents[:, 1] = torch.arange(16)[None, None, :, None]
    latents[:, 2] = torch.arange(16)[None, None, None]
    save_file({"rows": torch.arange(2), "latents": latents[:, :, :16].contiguous()}, tmp_path / "r.safetensors")

    class Features:
        columns = {"latents": latents}  # noqa: RUF012

    return PairedCrops(tmp_path / "r.safetensors", Features(), Clips(), batch=6, seed=0, true_share=0.5)


@pytest.mark.parametrize("index", range(10))
def test_pixels_and_latents_are_of_the_same_place_and_time(data, index):
    batch = data.batch(index)
    prime = int(batch["prime"])
    assert prime == (0 if index % 5 == 0 else PRIME)
    frames = ((batch["frames"] + 1) * 127.5).round()
    scored = batch["latents"][:, :, prime:]
    assert scored.shape[2] == LENGTH
    last = 4 * scored[:, 0, -1, 0, 0]  # latent t ends with frame 4t
    assert torch.equal(frames[:, 0, -1, 0, 0], last)
    assert frames.shape[2] == (4 * LENGTH if prime else 4 * LENGTH - 3)
    for channel in (1, 2):
        cells = frames[:, channel, 0, ::8, ::8]
        assert torch.equal(cells, scored[:, channel, 0])
    assert batch["mouth"].shape[2] == frames.shape[2]


def test_only_the_decoder_learns():
    torch.manual_seed(0)
    vae = CausalVAE(debug().vae)
    method = Refiner(vae, 1e-3, 2e-3, 4.0)
    before = {name: p.clone() for name, p in vae.state_dict().items()}
    g = torch.Generator().manual_seed(0)
    losses = []
    optimizers = method.optimizers()["student"]
    for prime, frames in ((PRIME, 12), (0, 9)) * 6:
        batch = {
            "latents": torch.randn(2, 4, prime + LENGTH, 4, 4, generator=g.manual_seed(1)),
            "frames": torch.rand(2, 3, frames, 32, 32, generator=g.manual_seed(2)) - 0.5,
            "mouth": torch.zeros(2, 1, frames, 32, 32),
            "prime": torch.tensor(prime),
        }
        result = method.step(batch, 0, g)
        result.losses["student"].backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        losses.append(float(result.losses["student"].detach()))
    assert losses[-2] < losses[0]
    changed = {name for name, value in vae.state_dict().items() if not torch.equal(value, before[name])}
    assert changed and not any(name.startswith(("skip", "latent_", "encoder")) for name in changed)
