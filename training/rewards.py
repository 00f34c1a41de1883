"""Rewards of finished latents: what is decoded is read by the mouth reader and compared with the sound and portrait.

Each reward is a function of a `View`, in [0, 1], higher is better. A domain is a set of rewards with weights; floors
are what no reward may pay for: a clean face in every frame, and a picture that moves (training/experience.py).

The reader knows faces like the corpus', of 128 px; others are brought to that size first. Clips that were rendered at
64 px it reads as well (openness correlates by .993 with the truth, .994 at 128 px), so it needs no smaller twin. For
photographs, give `Judge` another one with the same signature, and the data a track of the sound (`visemes`).

Dimensions: N samples, F frames; frames (N, F, 3, H, W) in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from echotorrent_core.config import AudioEncoderConfig, EngineConfig
from echotorrent_core.metrics.lipsync import STILL
from echotorrent_core.metrics.reader import FACE, MouthReader, Reading, load_reader, read
from echotorrent_core.vae.causal import CausalVAE
from echotorrent_core.weights.parts import load_part

from .corpus.visemes import CLASSES
from .experience import Scores
from .loop import Batch

Domain = Literal["general", "singing", "profile", "rare"]

PROFILE = 0.785  # radians of yaw, 45 degrees, from which on a face is a profile
FREQUENT = ("sil", "DD", "nn", "E", "I", "aa", "kk", "SS")  # viseme classes that general speech is full of
AROUND = 2  # frames on either side of a rare sound that belong to it
EVERY = (1, 2, 4)  # frames of which one may be looked at: a latent's frames are a multiple
FLOORS = "floors"
SHADE = 0.15  # difference of mean colours, in [-1, 1], at which the colour's share of the quality is 1 / e


@dataclass(frozen=True)
class View:
    """What rewards look at: every `every`-th frame.

    frames, and reading: (N, F) of them; portrait (N, 3, H, W) and its reading (N,); visemes (N, F, 4): open, wide,
    teeth and tongue as the sound has them; classes (N, F, 15): how likely each viseme is; energy (N, F): of the voice,
    None where the data have none.
    """

    frames: Tensor
    reading: Reading
    portrait: Tensor
    portrait_reading: Reading
    visemes: Tensor
    classes: Tensor
    energy: Tensor | None = None
    every: int = 1


Reward = Callable[[View], Tensor]


# Rewards


def lip_sync(view: View, weight: Tensor | None = None) -> Tensor:
    """How the mouth's opening follows the sound's; of a silent clip, how closed it is."""
    found, truth = view.reading.open, view.visemes[..., 0]
    silent = (1 - (found - truth).abs()).mean(1)
    return torch.where(truth.std(1, unbiased=False) < STILL, silent, (1 + following(found, truth, weight)) / 2)


def identity(view: View) -> Tensor:
    """Cosine to the portrait's identity, of the least similar frame."""
    cosine = (view.reading.identity * view.portrait_reading.identity[:, None]).sum(-1)
    return cosine.amin(1).clamp(0, 1)


def quality(view: View) -> Tensor:
    """As sharp, and of the same mean colours, as the portrait."""
    ratio = (sharpness(view.frames) / sharpness(view.portrait)[:, None].clamp_min(1e-6)).clamp_min(1e-6)
    colours = (view.frames.mean((-2, -1)) - view.portrait.mean((-2, -1))[:, None]).abs().mean(-1)
    return (torch.exp(-ratio.log().abs()) * torch.exp(-colours / SHADE)).mean(1)


def singing(view: View) -> Tensor:
    """Lip sync, and an opening that follows the energy of the voice."""
    if view.energy is None:
        raise ValueError("the reward 'singing' needs the voice's energy per frame: a batch with 'energy' (N, F)")
    return (lip_sync(view) + (1 + following(view.reading.open, view.energy)) / 2) / 2


def profile(view: View) -> Tensor:
    """Lip sync and identity of frames that show a profile, times the share of these: turning away pays nothing."""
    turned = (view.reading.yaw.abs() > PROFILE).float()
    similar = (view.reading.identity * view.portrait_reading.identity[:, None]).sum(-1).clamp(0, 1)
    same = (similar * turned).sum(1) / turned.sum(1).clamp_min(1)
    return turned.mean(1) * (lip_sync(view, turned) + same) / 2


def rare(view: View) -> Tensor:
    """Lip sync in the frames around sounds that are seldom made."""
    chosen = torch.tensor([name not in FREQUENT for name in CLASSES]).to(view.classes)
    seldom = (view.classes * chosen).sum(-1)
    beside = AROUND // view.every
    around = torch.nn.functional.max_pool1d(seldom[:, None], 2 * beside + 1, 1, beside)[:, 0]
    return lip_sync(view, around)


REWARDS: dict[str, Reward] = {
    "lip_sync": lip_sync,
    "identity": identity,
    "quality": quality,
    "singing": singing,
    "profile": profile,
    "rare": rare,
}
WEIGHTS: dict[Domain, dict[str, float]] = {
    "general": {"lip_sync": 1.0, "identity": 0.5, "quality": 0.5},
    "singing": {"singing": 1.0, "identity": 0.5, "quality": 0.5},
    "profile": {"profile": 1.0, "quality": 0.5},
    "rare": {"rare": 1.0, "identity": 0.5, "quality": 0.5},
}


# Their maths


def following(found: Tensor, truth: Tensor, weight: Tensor | None = None) -> Tensor:
    """Pearson's correlation (N,) of tracks (N, F) under weights, times the share of its range that a track moves
    through: cov / (s_truth max(s_found, s_truth)), so that mumbling does not count as speech. 0 for tracks that stand
    still."""
    weight = torch.ones_like(truth) if weight is None else weight
    share = weight / weight.sum(1, keepdim=True).clamp_min(1e-6)
    a, b = (x - (share * x).sum(1, keepdim=True) for x in (found, truth))
    spread_a, spread_b = ((share * x.square()).sum(1).sqrt() for x in (a, b))
    moves = (spread_a >= STILL) & (spread_b >= STILL)
    value = (share * a * b).sum(1) / (spread_b * torch.maximum(spread_a, spread_b)).clamp_min(1e-6)
    return torch.where(moves, value, 0.0).clamp(-1, 1)


def sharpness(pictures: Tensor) -> Tensor:
    """Standard deviation of the Laplacian of the luminance of pictures (..., 3, H, W): (...)."""
    luminance = (pictures * pictures.new_tensor([0.299, 0.587, 0.114])[:, None, None]).sum(-3)
    x = luminance[..., 1:-1, 1:-1]
    around = luminance[..., :-2, 1:-1] + luminance[..., 2:, 1:-1] + luminance[..., 1:-1, :-2] + luminance[..., 1:-1, 2:]
    return (around - 4 * x).std((-2, -1), unbiased=False)


def motion(frames: Tensor, apart: int) -> Tensor:
    """Mean absolute change (N,) between frames `apart` from each other, its median over time. A latent that is only
    repeated decodes to frames that differ, but, once the decoder has settled, not from those one latent later."""
    apart = min(apart, frames.shape[1] - 1)
    return (frames[:, apart:] - frames[:, :-apart]).abs().mean((2, 3, 4)).median(dim=1).values


# From latents


@dataclass(frozen=True)
class RewardConfig:
    """domain: whose rewards and weights; weights: others than the domain's; every: how many frames of which one is
    looked at: at 64 px a judgement of every second one costs 60 % of that of all, and ranks clips alike (.96 to .99).
    confidence, motion: floors of the reader's confidence in the worst tenth of the frames, and of the change from
    latent to latent. The corpus' clips have .79 and more, and .007 and more; a still or looping one changes by .0022 or
    less."""

    domain: Domain = "general"
    weights: dict[str, float] = field(default_factory=dict)
    every: int = 1
    confidence: float = FACE
    motion: float = 0.004

    def __post_init__(self) -> None:
        unknown = sorted(set(self.weights) - set(REWARDS))
        if unknown or self.domain not in WEIGHTS:
            raise ValueError(
                f"unknown reward or domain '{(unknown or [self.domain])[0]}'; rewards: {', '.join(REWARDS)}; "
                f"domains: {', '.join(WEIGHTS)}"
            )
        if self.every not in EVERY:
            raise ValueError(f"every {self.every} frames cannot be looked at; choose one of {EVERY}, parts of a latent")


class Judge:
    """Scores of latents: decodes, reads, and asks the rewards of a configuration.

    decode: latents (N, C, T, h, w) -> frames; reader: frames (n, 3, H, W) -> `Reading`; at_once: samples per pass.
    """

    def __init__(
        self,
        config: EngineConfig,
        vae: CausalVAE,
        reader: MouthReader | Callable[[Tensor], Reading],
        settings: RewardConfig,
        at_once: int = 4,
    ):
        self.config, self.vae, self.reader, self.settings, self.at_once = config, vae, reader, settings, at_once
        self.weights = settings.weights or WEIGHTS[settings.domain]

    @staticmethod
    def load(config: EngineConfig, settings: RewardConfig, folder: Path) -> Judge:
        """With the decoder in `folder` (vae.safetensors) and the shipped reader. InputError if it does not fit."""
        vae = CausalVAE(config.vae)
        load_part(vae, folder / "vae.safetensors")
        return Judge(config, vae.eval().requires_grad_(False), load_reader(), settings)

    @torch.no_grad()
    def __call__(self, latents: Tensor, batch: Batch) -> Scores:
        for part in (self.vae, self.reader):
            if isinstance(part, nn.Module):
                part.to(latents.device)
        parts = []
        for rows in torch.arange(len(latents)).split(self.at_once):
            some = {key: value[rows] if value.ndim else value for key, value in batch.items()}
            view = self.view(latents[rows], some)
            parts.append({name: REWARDS[name](view) for name in self.weights} | {FLOORS: self.above_floors(view)})
        columns = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        passed = columns.pop(FLOORS)
        return Scores(columns, self.weights, passed)

    def above_floors(self, view: View) -> Tensor:
        """Whether all there is a face that moves (N,)."""
        clean = view.reading.confidence.quantile(0.1, dim=1) >= self.settings.confidence
        apart = max(1, self.config.vae.time_stride // view.every)
        return clean & (motion(view.frames, apart) >= self.settings.motion)

    def view(self, latents: Tensor, batch: Batch) -> View:
        """Decoded and read. Latents from the middle of a clip are decoded after the reference, as its continuation."""
        first, reference = bool(batch["first"]), batch["reference"]
        video = self.vae.decode(latents if first else torch.cat([reference, latents], dim=2))[0]
        frames = video.float().clamp(-1, 1).movedim(1, 2)[:, 0 if first else 1 :]
        portrait = self.vae.decode(reference)[0].float().clamp(-1, 1)[:, :, 0]
        visemes, classes = self.sound(batch)
        if visemes.shape[1] != frames.shape[1]:
            raise ValueError(
                f"{frames.shape[1]} frames, but sound for {visemes.shape[1]}; give latents their own batch"
            )
        energy, every = batch.get("energy"), self.settings.every
        frames, visemes, classes = (value[:, ::every] for value in (frames, visemes, classes))
        size = frames.shape[:2]
        found = self.read(torch.cat([frames.flatten(0, 1), portrait]))
        reading = Reading(*(value[: -len(portrait)].unflatten(0, size) for value in found))
        portrait_reading = Reading(*(value[-len(portrait) :] for value in found))
        heard = None if energy is None else energy[:, ::every]
        return View(frames, reading, portrait, portrait_reading, visemes, classes, heard, every)

    def read(self, frames: Tensor) -> Reading:
        found = read(self.reader, frames) if isinstance(self.reader, MouthReader) else self.reader(frames)
        return Reading(*(value.clone() for value in found))  # not tensors of inference mode, which gradients refuse

    def sound(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Visemes (N, F, 4) and classes (N, F, 15): the data's, or what the embedded audio encoder found."""
        audio, adapter = self.config.audio, self.config.trunk.audio
        if "visemes" in batch:
            classes = batch.get("classes")
            return batch["visemes"], torch.zeros(*batch["visemes"].shape[:2], 15) if classes is None else classes
        if not isinstance(audio, AudioEncoderConfig) or adapter is None:
            raise ValueError(f"preset {self.config.name} hears no visemes: the data must give 'visemes' (N, F, 4)")
        margin = adapter.window // 2
        features = batch["features"][:, margin : batch["features"].shape[1] - margin]
        classes = features[..., audio.channels + audio.visemes :][..., : audio.classes]
        return features[..., audio.channels :][..., : audio.visemes], classes
