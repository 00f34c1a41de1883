"""VAE trainer: PCA fit, losses, Muon, resume, hand-over by export and frozen encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from echotorrent_core.errors import InputError
from echotorrent_core.presets import get_preset
from echotorrent_core.vae.causal import CausalVAE
from echotorrent_core.weights.parts import ASSETS, read_metadata
from training.methods import vae as trainer
from training.muon import ConvMuon, orthogonal


class SmoothClips:
    """Moving smooth blobs, 24 frames, with a mouth box around the middle."""

    def __init__(self, size: int = 32) -> None:
        self.size = size

    def __len__(self) -> int:
        return 6

    def frames(self, i: int) -> np.ndarray:
        draw = torch.Generator().manual_seed(i)
        coarse = torch.rand(1, 3, 6, 5, 5, generator=draw)
        fine = F.interpolate(coarse, size=(24, self.size, self.size), mode="trilinear")
        return (fine[0].permute(1, 2, 3, 0) * 255).to(torch.uint8).numpy()

    def labels(self, i: int) -> dict[str, np.ndarray]:
        return {"mouth_box": np.tile(np.float32([12, 18, 22, 26]) * self.size / 32, (24, 1))}


CLIPS = SmoothClips()


def command(folder: Path, *extra: str) -> tuple:
    base = ["--corpus", "unused", "--out", str(folder), "--preset", "debug", "--crop", "16", "--batch", "2"]
    args = trainer.arguments([*base, "--precision", "no", "--eval-every", "1000", *extra])
    return args, trainer.VAETraining(), CLIPS, CLIPS


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return torch.load(folder / "checkpoint.pt", weights_only=True)["roles"]["ema"]


def test_pca_is_the_best_linear_codec() -> None:
    vae = CausalVAE(get_preset("debug").vae).requires_grad_(False)
    data = trainer.Crops(CLIPS, size=16, batch=4, seed=0)
    trainer.fit_pca(vae, data, batches=5)
    rows = torch.cat([vae.skip.patches(data.batch(2 * k)["frames"][:, :, 1:]).flatten(0, 3) for k in range(5)]).double()
    centred = rows - rows.mean(0)
    values = torch.linalg.svdvals(centred)
    wanted = values[4:].square().sum() / len(rows)
    z = (rows - vae.skip.mean) @ (vae.skip.basis / vae.skip.scale[:, None]).double().T
    back = z @ (vae.skip.basis * vae.skip.scale[:, None]).double() + vae.skip.mean
    torch.testing.assert_close((back - rows).square().sum() / len(rows), wanted, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(z.std(0, correction=0), torch.ones(4).double(), rtol=1e-3, atol=1e-3)


def test_crops_depend_on_the_step_only() -> None:
    a, b = (trainer.Crops(CLIPS, size=16, batch=3, seed=1) for _ in range(2))
    a.batch(0)
    one, two = a.batch(7), b.batch(7)
    assert all(torch.equal(one[k], two[k]) for k in one)
    assert one["frames"].shape == (3, 3, 21, 16, 16) and int(one["prime"]) == 9
    assert a.batch(8)["frames"].shape == (3, 3, 13, 16, 16) and int(a.batch(8)["prime"]) == 0
    assert one["frames"].abs().max() <= 1


def test_mouth_crops_hold_the_mouth() -> None:
    data = trainer.Crops(CLIPS, size=16, batch=32, seed=0, mouth=1.0)
    share = data.batch(0)["mouth"].mean(dim=(1, 2, 3, 4))
    assert share.min() > 0.1  # the whole box would be 0.31


def test_mouth_mask_is_the_box() -> None:
    mask = trainer.mouth_mask(np.float32([[2, 1, 5, 3]]), 6, 8)
    assert mask.shape == (1, 6, 8) and mask.sum() == 6 and mask[0, 1:3, 2:5].all()


def test_pyramid_of_one_pixel_and_of_a_constant() -> None:
    ones = torch.ones(1, 1, 16, 16)
    pixel, bands = trainer.pyramid_l1(torch.full((1, 3, 16, 16), 0.5), ones)
    assert abs(pixel - 0.5) < 0.03 and bands.abs() < 1e-6
    error = torch.zeros(1, 3, 16, 16)
    error[..., 8, 8] = 1
    pixel, bands = trainer.pyramid_l1(error, ones)
    assert bands > pixel


def test_orthogonal_update_has_singular_values_near_one() -> None:
    for shape in ((2, 8, 20), (2, 20, 8)):
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape)).float())
        assert values.min() > 0.6 and values.max() < 1.3


def test_muon_lowers_a_loss() -> None:
    torch.manual_seed(0)
    conv, x = torch.nn.Conv3d(3, 4, 3), torch.randn(2, 3, 5, 6, 6)
    wanted = torch.nn.Conv3d(3, 4, 3)(x).detach()
    muon = ConvMuon([conv.weight], lr=0.02)
    losses = []
    for _ in range(60):
        loss = F.mse_loss(conv(x), wanted)
        conv.zero_grad()
        loss.backward()
        muon.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.3 * losses[0]


def test_training_improves_and_resumes_exactly(tmp_path) -> None:
    trainer.run(*command(tmp_path / "whole", "--steps", "12"))
    args = command(tmp_path / "parts", "--steps", "12")
    args[0].minutes = 0.0  # stops after one step, with a checkpoint
    trainer.run(*args)
    assert torch.load(tmp_path / "parts/checkpoint.pt", weights_only=True)["step"] == 1
    args[0].minutes = None
    trainer.run(*args)
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(whole[k], parts[k]) for k in whole)


def test_loss_falls_on_one_batch() -> None:
    torch.manual_seed(0)
    vae = CausalVAE(get_preset("debug").vae)
    data = trainer.Crops(CLIPS, size=16, batch=2, seed=0)
    trainer.fit_pca(vae, data, batches=5)
    method = trainer.VAEMethod(vae, trainer.VAETraining(lr=5e-3, muon_lr=1e-2, noise=0.0))
    batch, losses, optimizers = data.batch(0), [], method.optimizers()["student"]
    for step in range(60):
        loss = method.step(batch, step, torch.Generator()).losses["student"]
        loss.backward()
        losses.append(float(loss.detach()))
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
    assert losses[-1] < 0.9 * losses[0]


def test_hand_over_keeps_encoder_and_statistics(tmp_path) -> None:
    file, second = tmp_path / "vae.safetensors", tmp_path / "second.safetensors"
    trainer.run(*command(tmp_path / "a", "--steps", "4"))
    trainer.run(*command(tmp_path / "a", "--export", str(file)))
    config = get_preset("debug").vae
    first = trainer.load_exported(file, config)
    assert first.latent_std.min() > 0 and not torch.equal(first.latent_mean, torch.zeros(4))
    decoder_only = ("--init", str(file), "--freeze-encoder")
    trainer.run(*command(tmp_path / "b", "--steps", "6", *decoder_only))
    trainer.run(*command(tmp_path / "b", "--export", str(second), *decoder_only))
    refined = trainer.load_exported(second, config)
    frames = torch.randn(1, 3, 9, 16, 16)
    with torch.no_grad():
        assert torch.equal(first.encode(frames)[0], refined.encode(frames)[0])
        latents = first.encode(frames)[0]
        assert not torch.equal(first.decode(latents)[0], refined.decode(latents)[0])


def test_freezing_needs_a_file(tmp_path) -> None:
    with pytest.raises(ValueError, match="--init"):
        trainer.run(*command(tmp_path, "--freeze-encoder"))


def test_the_small_presets_codec_and_decoder_learn_from_whole_frames(tmp_path) -> None:
    """PCA by --steps=0 --export, then the decoder alone, with crops as large as the clips."""
    clips = SmoothClips(64)
    base = ["--corpus", "unused", "--preset", "embedded_small", "--crop", "64", "--batch", "2", "--precision", "no"]

    def run(*extra: str) -> None:
        trainer.run(trainer.arguments([*base, *extra]), trainer.VAETraining(), clips, clips)

    codec, refined = tmp_path / "codec.safetensors", tmp_path / "refined.safetensors"
    run("--out", str(tmp_path / "codec"), "--steps=0", "--export", str(codec))
    about, config = read_metadata(codec), get_preset("embedded_small").vae
    assert about["preset"] == "embedded_small" and about["steps"] == 0 and about["psnr"] > 30  # smooth blobs
    first = trainer.load_exported(codec, config)
    latents = first.encode(torch.from_numpy(clips.frames(0)).permute(3, 0, 1, 2)[None, :, :17].float() / 127.5 - 1)[0]
    assert latents.shape == (1, 32, 5, 8, 8) and 0.2 < latents.std() < 5
    decoder_only = ("--out", str(tmp_path / "decoder"), "--init", str(codec), "--freeze-encoder", "--steps=2")
    run(*decoder_only)
    run(*decoder_only, "--export", str(refined))
    changed = {
        k for k, v in trainer.load_exported(refined, config).state_dict().items() if not v.equal(first.state_dict()[k])
    }
    assert changed and all(name.startswith(("decoder.", "conv2.")) for name in changed)


@pytest.mark.parametrize(
    ("preset", "extra", "reason"),
    [
        ("embedded_small", (), "its clips are 32 x 32 pixels, preset 'embedded_small' draws 64 x 64"),
        ("debug", ("--crop=48",), "--crop 48 is larger than the clips, 32 x 32"),
        ("debug", ("--export",), "no weights of preset 'debug' are shipped; say where"),
        ("debug", ("--init", "none.safetensors"), "weights not found"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_made(tmp_path, preset, extra, reason) -> None:
    with pytest.raises(InputError, match=reason):
        trainer.run(*command(tmp_path / "run", "--preset", preset, "--steps", "1", *extra))
    assert not (tmp_path / "run").exists()


def test_shipped_weights_are_the_default_target_of_their_preset_only() -> None:
    shipped = trainer.arguments(["--corpus", "x", "--out", "y", "--export"])
    assert trainer.export_file(shipped) == ASSETS / "embedded" / "vae.safetensors"
