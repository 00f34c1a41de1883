"""Windows turned into rows: what a trunk trains on, as tensors.

A row of T frames and t latents (T = 1 + 4 (t - 1)), h x w each, V variants of its sound:

    latents (C, t, h, w)   reference (C, 1, h, w)   mask (t, h, w)    audio (V, T + 2 MARGIN, A)   mouth_box (T + 1, 4)
    energy (T,) of the voice, in [0, 1], as it was recorded
    motion (T + 2 MARGIN, 8) and ids (3,) of presets with motion and a table of words; text (L, D) of the others
    start (C, n, h, w): the reference and mid grey, where only the stream's first latent shows it (Wan I2V)
    image (257, D): CLIP tokens of the reference, where the trunk reads them      frames (T + 1, H, W, 3): if asked for

The sound is encoded several times, clean and augmented, because its encoder is frozen while the trunk learns. A
mirrored row is the window's mirror image in other light, with the sound augmented anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from echotorrent_core.conditioning.motion import normalise
from echotorrent_core.conditioning.text import parse_prompt

from ..corpus.augment import augment
from ..corpus.build import DOMAINS
from .clips import Clip, Window
from .encoders import Encoders
from .features import MARGIN
from .video import SAMPLES_PER_FRAME

Row = dict[str, Tensor]

_MIRRORED = torch.tensor([-1.0, 1.0, -1.0, -1.0, 1.0, 1.0, -1.0, 1.0])  # yaw, roll, x and gaze x change sides
_SIDES = {"left": "right", "right": "left"}


@torch.inference_mode()
def encode(
    encoders: Encoders, clip: Clip, mirrored: bool, variants: int, seed: int, keep_frames: bool = False
) -> Iterator[tuple[Window, Row]]:
    """The rows of a clip, one per window. Every draw depends on `seed`, the clip and `mirrored` only."""
    rng = np.random.default_rng([seed, clip.key, mirrored])
    light = random_light(rng) if mirrored else None
    sounds = [clip.sound] + [augment(clip.sound, rng) for _ in range(variants - 1)]
    tracks = [encoders.speech.track(sound) for sound in sounds]
    for window in clip.windows:
        count = len(window.frames) - 1
        video, prompt = to_video(window.frames), str(window.labels["prompt"])
        motion, mask = motion_features(window.labels), pixel_mask(window.labels["mouth_mask"][:count])
        box = torch.tensor(np.asarray(window.labels["mouth_box"], np.float32))
        if light is not None:
            video, motion, mask = relit(video.flip(-1), light), motion * _MIRRORED, mask.flip(-1)
            prompt, box = mirror_text(prompt), mirror_box(box, video.shape[-1])
        row = encode_pictures(encoders, video) | {
            "audio": torch.stack([track(window.begin, count) for track in tracks]).half(),
            "energy": voice_energy(clip.sound, window.begin, count).half(),
            "mouth_box": box,
            "domain": torch.tensor(DOMAINS.index(str(window.labels["domain"]))),
        }
        row["mask"] = fit_mask(latent_mask(mask), row["latents"].shape[-2:]).half()
        if encoders.config.motion is not None:
            row["motion"] = motion.half()
        if encoders.text is None:
            row["ids"] = torch.tensor(parse_prompt(prompt).ids())
        else:
            row["text"] = encoders.text.encode(prompt)[0].to("cpu", torch.bfloat16)
        if keep_frames:
            row["frames"] = ((video[0].permute(1, 2, 3, 0) + 1) * 127.5).round().to(torch.uint8)
        yield window, row


def encode_pictures(encoders: Encoders, video: Tensor) -> Row:
    """latents, reference, start and image of pictures (1, 3, T + 1, H, W), the reference last."""
    vae, config, video = encoders.vae, encoders.config, video.to(encoders.device)
    reference = video[:, :, -1:]
    row = {"latents": vae.encode(video[:, :, :-1])[0], "reference": vae.encode(reference)[0]}
    if config.stream.condition == "first":
        grey = config.vae.time_stride * (config.stream.chunk_latents - 1)
        row["start"] = vae.encode(F.pad(reference, (0, 0, 0, 0, 0, grey)))[0]
    if encoders.clip is not None:
        row["image"] = encoders.clip.encode(reference[:, :, 0])
    return {name: value[0].half().cpu() for name, value in row.items()}


def to_video(frames: np.ndarray) -> Tensor:
    """uint8 (T, H, W, 3) -> float (1, 3, T, H, W) in [-1, 1]."""
    return torch.from_numpy(np.array(frames)).permute(3, 0, 1, 2)[None].float() / 127.5 - 1


def motion_features(labels: dict[str, np.ndarray]) -> Tensor:
    """Motion channels (T + 2 MARGIN, 8) of labels over T + 1 pictures, relative to the reference, which is the last."""
    pose = torch.from_numpy(np.asarray(labels["pose"], np.float32))  # yaw, pitch, roll, x, y
    gaze = torch.from_numpy(np.asarray(labels["gaze"], np.float32))
    blink = torch.from_numpy(np.asarray(labels["blink"], np.float32))
    raw = torch.cat([pose[:-1] - pose[-1], blink[:-1, None], gaze[:-1]], dim=1)
    raw = torch.cat([raw[:1].expand(MARGIN, -1), raw, raw[-1:].expand(MARGIN, -1)])
    return normalise(raw)


def voice_energy(sound: np.ndarray, begin: int, frames: int) -> Tensor:
    """Root mean square of each frame's samples (frames,), from sample `begin` on, relative to the loudest twentieth of
    the whole sound; at most 1, and 0 of silence."""
    level = np.sqrt(frame_squares(sound))
    loud = max(float(np.quantile(level, 0.95)), 1e-4)
    heard = frame_squares(np.pad(sound[begin:], (0, frames * SAMPLES_PER_FRAME)))[:frames]
    return torch.from_numpy(np.minimum(np.sqrt(heard) / loud, 1).astype(np.float32))


def frame_squares(sound: np.ndarray) -> np.ndarray:
    """Mean square of every whole frame of a sound (samples,)."""
    whole = len(sound) // SAMPLES_PER_FRAME
    return np.square(sound[: whole * SAMPLES_PER_FRAME]).reshape(whole, SAMPLES_PER_FRAME).mean(1)


# Masks


def pixel_mask(mask: np.ndarray) -> Tensor:
    """uint8 (T, h, w) -> float in [0, 1]."""
    return torch.from_numpy(np.asarray(mask).astype(np.float32) / 255)


def latent_mask(mask: Tensor, stride: int = 4) -> Tensor:
    """Per-frame masks (T, h, w) -> per-latent masks (t, h, w): the largest over each latent's frames."""
    return torch.cat([mask[:1], mask[1:].unflatten(0, (-1, stride)).amax(dim=1)])


def fit_mask(mask: Tensor, size: torch.Size) -> Tensor:
    """Masks (t, h, w) averaged over the pixels of latents of `size`."""
    return mask if mask.shape[-2:] == size else F.adaptive_avg_pool2d(mask, (size[0], size[1]))


# Mirror images


def mirror_text(prompt: str) -> str:
    """The text with left and right exchanged."""
    return re.sub(r"\b(left|right)\b", lambda side: _SIDES[side[0].lower()], prompt, flags=re.IGNORECASE)


def mirror_box(box: Tensor, width: int) -> Tensor:
    """Boxes (..., 4) as x0, y0, x1, y1 in the mirror image of a picture `width` wide."""
    x0, y0, x1, y1 = box.unbind(-1)
    return torch.stack([width - x1, y0, width - x0, y1], dim=-1)


def random_light(rng: np.random.Generator, strength: float = 0.15) -> np.ndarray:
    """Gain per colour channel (3,) of other light: brightness by up to `strength`, colour by half of it."""
    return rng.uniform(1 - strength, 1 + strength) * rng.uniform(1 - strength / 2, 1 + strength / 2, 3)


def relit(video: Tensor, gain: np.ndarray) -> Tensor:
    """(1, 3, T, H, W) in [-1, 1] in light of another `gain` (3,)."""
    return ((video + 1) * torch.tensor(gain, dtype=video.dtype).reshape(1, 3, 1, 1, 1) - 1).clamp(-1, 1)
