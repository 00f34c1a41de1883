"""Losses on pixels that L1 does not give: perceptual distance, a patch critic with hinge losses, and their balance.

Frames are (N, 3, H, W) or (B, 3, T, H, W) in [-1, 1]; weights (N, 1, H, W) say where an error counts.

LPIPS (Zhang et al. 2018) is the usual perceptual distance, but its VGG weights have to be downloaded. What works
without a network at hand, and is the default, compares local energies: the root mean square, over small windows, of
Laplacian bands and of the shipped mouth reader's feature maps. Its windows forgive what is a little beside its place
and punish what is missing (a blurred rim) or too much (a speckle). At equal L1 it ranks a frame that is shifted by part
of a pixel, and one in other light, before a blurred one on every frame of the held-out corpus. LPIPS' own distance (of
unit-length features) on the reader's maps ranks the shifted one behind the blurred one on most: it takes it for damage.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from echotorrent_core.errors import InputError
from echotorrent_core.metrics.reader import MouthReader, load_reader

WINDOW = 5  # places of a feature map over which energies are taken
BANDS = 3


SOFT = 0.03  # below about 4 grey levels the L1 is quadratic, so that flat areas do not outvote edges


def pyramid_l1(error: Tensor, weight: Tensor, levels: int = BANDS) -> tuple[Tensor, Tensor]:
    """Weighted soft L1 of the error (N, 3, H, W), and of its Laplacian bands: the pyramid is linear, so the bands of
    the error are the differences of the bands. weight (N, 1, H, W)."""

    def mean(e: Tensor) -> Tensor:
        return weighted_mean((e.square() + SOFT**2).sqrt() - SOFT, weight)

    return mean(error), torch.stack([mean(band) for band in laplacian_bands(error, levels)]).sum()


class Perceptual(Protocol):
    """Distance of frames (N, 3, H, W) from true ones, averaged with weights (N, 1, H, W)."""

    def __call__(self, output: Tensor, target: Tensor, weight: Tensor) -> Tensor: ...


def perceptual(kind: Literal["energy", "lpips"], vgg: Path | None = None) -> nn.Module:
    """The distance called `kind`; vgg: torchvision's VGG-16 weights for LPIPS, downloaded if not given. InputError if
    they, or the package, cannot be had."""
    distance = LocalEnergy(load_reader()) if kind == "energy" else LPIPS(vgg)
    return distance.eval().requires_grad_(False)


class LocalEnergy(nn.Module):
    """Difference of local energies of Laplacian bands and of the reader's feature maps, each relative to the true
    frames' own, averaged over maps."""

    def __init__(self, reader: MouthReader):
        super().__init__()
        self.reader = reader

    def maps(self, frames: Tensor) -> list[Tensor]:
        return laplacian_bands(frames, BANDS) + reader_maps(self.reader, frames)

    def forward(self, output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = [local_energy(x) for x in self.maps(target)]
        found = [local_energy(x) for x in self.maps(output)]
        parts = [
            weighted_mean((a - b).abs() / b.square().mean().sqrt(), weight) for a, b in zip(found, wanted, strict=True)
        ]
        return torch.stack(parts).mean()


def laplacian_bands(frames: Tensor, levels: int) -> list[Tensor]:
    """What each halving of the size loses, finest first."""
    bands = []
    for _ in range(levels):
        coarse = F.avg_pool2d(frames, 2)
        bands.append(frames - F.interpolate(coarse, scale_factor=2.0, mode="bilinear"))
        frames = coarse
    return bands


def reader_maps(reader: MouthReader, frames: Tensor) -> list[Tensor]:
    """Feature maps at a quarter, an eighth and a sixteenth of the frames' size; sizes need not be the reader's own."""
    x = reader.stem(F.pixel_unshuffle(frames, 2))
    maps = [x]
    for level, block in enumerate(reader.blocks):
        x = block(x if level == 0 else reader.down[level - 1](F.silu(x)))
        maps.append(x)
    return maps


def local_energy(x: Tensor) -> Tensor:
    """Root mean square of every channel of (N, C, h, w) around every place."""
    square = F.avg_pool2d(x.float().square(), WINDOW, stride=1, padding=WINDOW // 2, count_include_pad=False)
    return (square + 1e-4).sqrt()  # smooth where there is nothing


def weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Mean of (N, C, h, w) with weights (N, 1, H, W) of any larger size."""
    weight = F.adaptive_avg_pool2d(weight, (values.shape[-2], values.shape[-1]))
    return (values * weight).sum() / (values.shape[1] * weight.sum())


class LPIPS(nn.Module):
    """The package `lpips` with VGG-16, as a map, so that places can be weighted."""

    def __init__(self, vgg: Path | None):
        super().__init__()
        try:
            import lpips  # type: ignore[import-not-found,unused-ignore]

            self.network = lpips.LPIPS(net="vgg", spatial=True, pnet_rand=vgg is not None, verbose=False)
        except ImportError as error:
            raise InputError(
                "perceptual 'lpips' needs the packages lpips and torchvision; use 'energy', which needs none"
            ) from error
        except OSError as error:
            raise InputError(
                f"LPIPS' VGG weights cannot be downloaded ({error}); give torchvision's vgg16 file, or use 'energy'"
            ) from error
        if vgg is not None:
            weights = torch.load(vgg, map_location="cpu", weights_only=True)
            with torch.no_grad():
                for name, value in self.network.net.named_parameters():  # slice2.5.weight of features.5.weight
                    value.copy_(weights["features." + name.split(".", 1)[1]])

    def forward(self, output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        return weighted_mean(self.network(output.float(), target.float()), weight)


# Adversarial


class PatchCritic(nn.Module):
    """Scores (B, 1, t, h, w) of patches of a video (B, 3, T, H, W), each seeing 46 x 46 pixels of 13 frames.

    A 3-D PatchGAN (Isola et al. 2017) for small crops; pixels are folded 2 x 2 into channels, which keeps what the
    finest band holds at a quarter of the cost. Group norms: batches are too small for batch norms.
    """

    def __init__(self, width: int = 32):
        super().__init__()
        widths, strides = (width, 2 * width, 4 * width), ((1, 2, 2), (2, 2, 2), (1, 1, 1))
        layers: list[nn.Module] = []
        channels = 12
        for i, (out, stride) in enumerate(zip(widths, strides, strict=True)):
            layers.append(nn.Conv3d(channels, out, 3, stride, padding=1))
            if i:
                layers.append(nn.GroupNorm(8, out))
            layers.append(nn.LeakyReLU(0.2))
            channels = out
        layers.append(nn.Conv3d(channels, 1, 3, padding=1))
        self.layers = nn.Sequential(*layers)

    def forward(self, frames: Tensor) -> Tensor:
        folded = F.pixel_unshuffle(frames.transpose(1, 2), 2).transpose(1, 2)
        return self.layers(folded)


def hinge_critic(real: Tensor, fake: Tensor) -> Tensor:
    """Loss of the critic: real scores above 1, fake ones below -1 (Lim and Ye 2017)."""
    return 0.5 * (F.relu(1 - real).mean() + F.relu(1 + fake).mean())


def hinge_student(fake: Tensor) -> Tensor:
    """Loss of what is judged: its mean score, negative."""
    return -fake.mean()


def adaptive_weight(reconstruction: Tensor, adversarial: Tensor, last: Tensor, most: float = 1e4) -> Tensor:
    """Factor that brings the adversarial gradient of the `last` layer's weight to the size of the reconstruction's
    (Esser et al. 2021, eq. 7), at most `most`. Both losses keep their graphs."""
    wanted, found = (
        torch.autograd.grad(loss, last, retain_graph=True)[0].float().norm() for loss in (reconstruction, adversarial)
    )
    return (wanted / (found + 1e-4)).clamp(0, most).detach()
