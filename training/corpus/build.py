"""Renders and caches the training corpus: clips of a talking head with speech, mouth, pose and prompt labels.

A folder holds shards of 50 clips: ``frames_XXXX.npy`` uint8 (n, 66, H, W, 3), ``audio_XXXX.npy`` int16 (n, samples)
at 16 kHz, ``labels_XXXX.npz``, and ``index.json``. Frame 65 of a clip is its reference portrait. Every clip depends on
its index and split only, so neither the number of workers nor an interruption changes a byte.

    python -m training.corpus.build --split train --clips 1200 --workers 2
    python -m training.corpus.build --split train --clips 600 --size 64        # for the preset embedded_small
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import BinaryIO

import numpy as np

from echotorrent_core.errors import InputError

from ..files import remove_left_behind, replace_file
from ..paths import cache_folder
from .controls import EXPRESSIONS, Controls
from .identity import identity_seed, make_identity
from .motion import FPS, Motion, random_motion

FRAMES = 65
REFERENCE = FRAMES  # index of the portrait behind the clip's frames
SIZE = 128
CELLS = 16
SAMPLE_RATE = 16000
MARGIN = 10240  # samples (0.64 s) kept on both sides of the clip
SAMPLES = FRAMES * SAMPLE_RATE // FPS + 2 * MARGIN
SHARD = 50
SILENT_SHARE = 0.04
SPLITS = ("train", "heldout")
DOMAINS = ("general", "profile", "singing", "rare")
DEFAULT_MIX = {"general": 0.80, "profile": 0.08, "singing": 0.06, "rare": 0.06}
VERSION = 1


@dataclass(frozen=True)
class Clip:
    """What a clip is made from."""

    index: int
    split: str
    domain: str

    @property
    def seed(self) -> int:
        return identity_seed(self.index, self.split)


@dataclass(frozen=True)
class Script:
    """Everything about a clip except its pictures: audio, mouth tracks and motion."""

    audio: np.ndarray  # int16 (SAMPLES,)
    params: np.ndarray  # float32 (66, 4), the last is the portrait's
    classes: np.ndarray  # uint8 (65,)
    closures: np.ndarray  # bool (65,)
    controls: tuple[Controls, ...]  # 66
    motion: Motion
    voice: str


def corpus_folder(split: str, size: int = SIZE) -> Path:
    """Default cache folder of a split; every size has its own. ``ECHOTORRENT_CACHE`` moves it."""
    return cache_folder() / ("corpus" if size == SIZE else f"corpus{size}") / split


def parse_mix(text: str) -> dict[str, float]:
    """``general=0.8,profile=0.2`` as shares that sum to 1."""
    mix: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = part.partition("=")
        try:
            mix[name.strip()] = float(share)
        except ValueError:
            raise ValueError(f'Domain mix "{part}" is not name=share, for example general=0.8,profile=0.2.') from None
    unknown = sorted(set(mix) - set(DOMAINS))
    if unknown or min(mix.values()) < 0 or sum(mix.values()) <= 0:
        raise ValueError(f'Domain mix "{text}" is not valid: expected shares >= 0 of {", ".join(DOMAINS)}.')
    return {name: share / sum(mix.values()) for name, share in mix.items()}


def shard_clips(shard: int, clips: int, split: str, mix: dict[str, float]) -> list[Clip]:
    """The clips of a shard; each shard holds every domain by its share (largest remainder), in shuffled order."""
    count = min(SHARD, clips - shard * SHARD)
    exact = {name: share * count for name, share in mix.items()}
    whole = {name: int(value + 1e-9) for name, value in exact.items()}
    by_rest = sorted(mix, key=lambda name: (whole[name] - exact[name], list(mix).index(name)))
    for name in by_rest[: count - sum(whole.values())]:
        whole[name] += 1
    domains = [name for name in mix for _ in range(whole[name])]
    order = np.random.default_rng([0x5A4D, SPLITS.index(split), shard]).permutation(count)
    return [Clip(shard * SHARD + i, split, domains[order[i]]) for i in range(count)]


def write_script(clip: Clip) -> Script:
    """Speech window, mouth tracks and motion of a clip, all drawn from its seed."""
    from .speech import random_utterance
    from .visemes import closure_flags, viseme_track

    rng = np.random.default_rng([0xC11B, clip.seed])
    silent = rng.random() < SILENT_SHARE
    profile = clip.domain == "profile"
    motion = random_motion(rng, FRAMES, profile)
    seconds = FRAMES / FPS
    voice = "silence"
    phonemes: Sequence[tuple[float, float, str]] = ()
    start = 0.0
    samples = np.zeros(SAMPLES, np.float32)
    if silent:
        samples = samples + rng.normal(size=SAMPLES).astype(np.float32) * float(rng.choice((0.0, 5e-4, 2e-3)))
    else:
        utterance = random_utterance(rng, "general" if profile else clip.domain, clip.split, seconds + 2.5)
        voice, phonemes = utterance.voice, utterance.phonemes
        latest = len(utterance.samples) / SAMPLE_RATE - seconds
        where = float(rng.uniform(-0.12, 1.12))  # beyond the ends: exactly the start or the end, with its silence
        start = round(float(np.clip(where, 0, 1)) * latest * FPS) / FPS
        first = round(start * SAMPLE_RATE) - MARGIN
        padded = np.pad(utterance.samples, (MARGIN, SAMPLES))
        samples = padded[first + MARGIN : first + MARGIN + SAMPLES]
        peak = float(np.abs(utterance.samples).max())
        samples = samples * (float(rng.uniform(0.35, 0.95)) / max(peak, 1e-3))
    params, classes = viseme_track(phonemes, FRAMES, FPS, offset=start)
    closures = closure_flags(phonemes, FRAMES, FPS, offset=start)
    portrait, portrait_params = _portrait(rng, motion, profile)
    controls = (*(controls_of(motion, frame, params[frame]) for frame in range(FRAMES)), portrait)
    return Script(
        audio=np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16),
        params=np.concatenate([params, portrait_params[None]]).astype(np.float32),
        classes=np.asarray(classes, np.uint8),
        closures=np.asarray(closures, bool),
        controls=controls,
        motion=motion,
        voice=voice,
    )


def controls_of(motion: Motion, frame: int, mouth: np.ndarray) -> Controls:
    """What the head does in one frame, with the mouth parameters (4,) of the sound."""
    yaw, pitch, roll, dx, dy = motion.pose[frame].tolist()
    opening, wide, teeth, tongue = mouth.tolist()
    controls = Controls(
        yaw, pitch, roll, dx, dy,
        blink=float(motion.blink[frame]), gaze_x=float(motion.gaze[frame, 0]), gaze_y=float(motion.gaze[frame, 1]),
        brow=float(motion.brow[frame]), open=opening, wide=wide, teeth=teeth, tongue=tongue,
    )  # fmt: skip
    if motion.manner.expression == "neutral":
        return controls
    return replace(controls, **{motion.manner.expression: float(motion.weight[frame])})


def _portrait(rng: np.random.Generator, motion: Motion, profile: bool) -> tuple[Controls, np.ndarray]:
    """The reference portrait: neutral, eyes open and on the camera, head straight unless the clip is a profile."""
    mouth = np.array([0.0, 0.5, 0.0, 0.0])
    if rng.random() < 0.2:
        mouth = rng.uniform(size=4) * (0.9, 1.0, 1.0, 0.6)
    yaw = float(motion.pose[:, 0].mean()) if profile else 0.0
    yaw, pitch, roll = np.array([yaw, 0, 0]) + rng.normal(size=3) * (0.05, 0.03, 0.02)
    reach = 0.35 if profile else 1.0
    controls = Controls(
        float(yaw), float(pitch), float(roll), float(rng.normal() * 0.012), float(rng.normal() * 0.008),
        gaze_x=float(np.clip(-yaw / 0.4, -0.9, 0.9) * reach), gaze_y=float(-pitch / 0.4 * reach),
        open=float(mouth[0]), wide=float(mouth[1]), teeth=float(mouth[2]), tongue=float(mouth[3]),
    )  # fmt: skip
    return controls, mouth


def render_clip(clip: Clip, script: Script, size: int = SIZE) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames uint8 (66, H, W, 3), mouth boxes float32 (66, 4) as x0, y0, x1, y1, and mouth cells uint8 (66, 16, 16)."""
    from .render import Renderer, polygon_mask

    renderer = Renderer(make_identity(clip.seed), size)
    frames = np.empty((FRAMES + 1, size, size, 3), np.uint8)
    boxes = np.empty((FRAMES + 1, 4), np.float32)
    cells = np.empty((FRAMES + 1, CELLS, CELLS), np.uint8)
    for number, controls in enumerate(script.controls):
        image, mouth = renderer.render(controls)
        frames[number] = image
        boxes[number] = (*mouth.min(0), *mouth.max(0))
        cells[number] = polygon_mask(mouth, size, CELLS)
    return frames, boxes, cells


def build_shard(folder: str, shard: int, clips: list[Clip], size: int = SIZE) -> int:
    """Render one shard to ``folder`` and return its number of clips. Files appear complete or not at all."""
    rendered = []
    labels: dict[str, list[object]] = {}
    audio = []
    for clip in clips:
        script = write_script(clip)
        frames, boxes, cells = render_clip(clip, script, size)
        rendered.append(frames)
        audio.append(script.audio)
        for name, value in {
            "params": script.params[:FRAMES],
            "reference_params": script.params[REFERENCE],
            "classes": script.classes,
            "closures": script.closures,
            "blink": np.array([c.blink for c in script.controls], np.float32),
            "gaze": np.array([(c.gaze_x, c.gaze_y) for c in script.controls], np.float32),
            "pose": np.array([(c.yaw, c.pitch, c.roll, c.dx, c.dy) for c in script.controls], np.float32),
            "expression": EXPRESSIONS.index(script.motion.manner.expression),
            "expression_weight": script.motion.weight.astype(np.float32),
            "mouth_box": boxes,
            "mouth_mask": cells,
            "voice": script.voice,
            "prompt": script.motion.manner.prompt,
            "domain": clip.domain,
            "seed": clip.seed,
        }.items():
            labels.setdefault(name, []).append(value)
    root = Path(folder)
    _write(root / f"frames_{shard:04d}.npy", lambda file: np.save(file, np.stack(rendered)))
    _write(root / f"audio_{shard:04d}.npy", lambda file: np.save(file, np.stack(audio)))
    arrays = {name: np.array(values) for name, values in labels.items()}
    # the labels go last: they mark the shard complete
    _write(root / f"labels_{shard:04d}.npz", lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]
    return len(clips)


def _write(path: Path, save: Callable[[BinaryIO], object]) -> None:
    def write(temporary: Path) -> None:
        with open(temporary, "wb") as file:
            save(file)

    replace_file(path, write)


def build(
    folder: str | Path,
    split: str = "train",
    clips: int = 1200,
    mix: dict[str, float] | None = None,
    workers: int = 2,
    size: int = SIZE,
    progress: bool = True,
    first: int = 0,
) -> Path:
    """Render the missing shards of a corpus and return its folder. ``workers`` 0 or 1 renders in this process.

    Clips ``first`` (a multiple of 50) to ``clips`` are made: a later ``first`` gives identities that an earlier corpus
    did not hold. InputError for settings that are not valid, or not those of the corpus in the folder, and for a full
    disk; finished shards stay.
    """
    from tqdm import tqdm

    if split not in SPLITS:
        raise InputError(f'Unknown split "{split}": expected one of {", ".join(SPLITS)}.')
    if clips < 1:
        raise InputError(f"The number of clips is {clips}: expected at least 1.")
    if size < 2 * CELLS or size % CELLS:
        raise InputError(f"The frame size is {size}: expected a multiple of {CELLS} pixels, at least {2 * CELLS}.")
    if first % SHARD or not 0 <= first < clips:
        raise InputError(f"The first clip is {first}: expected a multiple of {SHARD} below {clips}.")
    mix = dict(mix or DEFAULT_MIX)
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    remove_left_behind(root)
    settings = {"version": VERSION, "split": split, "mix": mix, "size": size, "frames": FRAMES, "fps": FPS}
    index_file = root / "index.json"
    if index_file.exists():
        known = json.loads(index_file.read_text(encoding="utf-8"))
        different = [name for name, value in settings.items() if known.get(name) != value]
        if different:
            raise InputError(
                f"{root} holds a corpus with another {', '.join(different)}: choose another folder or delete it."
            )
    plan = {shard: shard_clips(shard, clips, split, mix) for shard in range(first // SHARD, -(-clips // SHARD))}
    done = {shard: len(plan[shard]) for shard in plan if _complete(root, shard, len(plan[shard]))}

    def write_index() -> None:
        shards = [{"shard": shard, "clips": done[shard]} for shard in sorted(done)]
        content = settings | {"audio_samples": SAMPLES, "audio_margin": MARGIN, "shards": shards}
        _write(index_file, lambda file: file.write(json.dumps(content, indent=1).encode()))

    write_index()
    waiting = [shard for shard in plan if shard not in done]
    with tqdm(total=clips - first, initial=sum(done.values()), unit="clip", disable=not progress, mininterval=5) as bar:
        if workers <= 1:
            for shard in waiting:
                done[shard] = build_shard(str(root), shard, plan[shard], size)
                bar.update(done[shard])
                write_index()
        else:
            with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
                futures = {pool.submit(build_shard, str(root), s, plan[s], size): s for s in waiting}
                for future in as_completed(futures):
                    done[futures[future]] = future.result()
                    bar.update(future.result())
                    write_index()
    return root


def _complete(root: Path, shard: int, clips: int) -> bool:
    if not all((root / name).exists() for name in _shard_files(shard)):
        return False
    return len(np.load(root / f"frames_{shard:04d}.npy", mmap_mode="r")) == clips


def _shard_files(shard: int) -> tuple[str, str, str]:
    return f"frames_{shard:04d}.npy", f"audio_{shard:04d}.npy", f"labels_{shard:04d}.npz"


class CorpusReader:
    """Memory-mapped access to the finished shards of a corpus folder."""

    def __init__(self, folder: str | Path):
        root = Path(folder)
        if not (root / "index.json").exists():
            raise InputError(f"{root} holds no corpus: render one with python -m training.corpus.build --out {root}.")
        self.index = json.loads((root / "index.json").read_text(encoding="utf-8"))
        self._where = [(s["shard"], i) for s in self.index["shards"] for i in range(s["clips"])]
        shards = [s["shard"] for s in self.index["shards"]]
        self._frames = {s: np.load(root / f"frames_{s:04d}.npy", mmap_mode="r") for s in shards}
        self._audio = {s: np.load(root / f"audio_{s:04d}.npy", mmap_mode="r") for s in shards}
        self._labels = {s: dict(np.load(root / f"labels_{s:04d}.npz")) for s in shards}

    def __len__(self) -> int:
        return len(self._where)

    def frames(self, i: int) -> np.ndarray:
        """uint8 (66, H, W, 3); the last one is the reference portrait."""
        shard, row = self._where[i]
        return self._frames[shard][row]

    def audio(self, i: int) -> np.ndarray:
        """int16 (samples,) at 16 kHz; frame 0 begins after ``index["audio_margin"]`` samples."""
        shard, row = self._where[i]
        return self._audio[shard][row]

    def labels(self, i: int) -> dict[str, np.ndarray]:
        """Every label of clip i (params, classes, closures, blink, gaze, pose, mouth_box, mouth_mask, prompt, ...)."""
        shard, row = self._where[i]
        return {name: values[row] for name, values in self._labels[shard].items()}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.corpus.build", description="Render the talking-head corpus."
    )
    parser.add_argument("--split", choices=SPLITS, default="train")
    parser.add_argument("--clips", type=int, default=1200)
    parser.add_argument("--first", type=int, default=0, help="skip the clips before this one (a multiple of 50)")
    parser.add_argument("--size", type=int, default=SIZE, help=f"width and height in pixels, a multiple of {CELLS}")
    parser.add_argument("--domain-mix", type=parse_mix, default=DEFAULT_MIX, metavar="NAME=SHARE,...")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, help="folder (default: the corpus cache of the split)")
    args = parser.parse_args(arguments)
    folder = args.out or corpus_folder(args.split, args.size)
    try:
        build(folder, args.split, args.clips, args.domain_mix, args.workers, args.size, first=args.first)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{len(CorpusReader(folder))} clips in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
