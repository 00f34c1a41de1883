"""What did distillation keep, and what did the recipe bring? Held-out people and voices, read from the pixels.

    python benchmarks/distillation.py                                     # what the embedded recipe left
    python benchmarks/distillation.py --student DIR --teacher DIR --clips 40
    python benchmarks/distillation.py --before DIR --after DIR --seconds 120      # the embedded model of two ages
    python benchmarks/distillation.py --before DIR --videos docs/videos           # and a video of each

First the 4-step student, a stream without guidance, against its own teacher: bidirectional in windows of 16 latents as
it was trained, 40 steps, guided by the audio. Both make the same 61 frames of each clip from its portrait and sound.
Forwards are counted in the same run, per latent of the video. Then, if --before is given, the engine after the recipe
against the one before it: lips, drift over a long stream, and CPU seconds per chunk, in turns.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import common
import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from echotorrent_core import schedules
from echotorrent_core.conditioning.text import Prompt
from echotorrent_core.config import EngineConfig
from echotorrent_core.metrics import lipsync
from echotorrent_core.metrics.reader import WEIGHTS, MouthReader, load_reader
from echotorrent_core.metrics.timing import paired_ratio
from echotorrent_core.model.history import SinkContext
from echotorrent_core.presets import get_preset
from echotorrent_core.stream import Engine
from training.conditions import guided
from training.config import SampleSettings
from training.denoiser import Denoiser, teacher_config
from training.evaluation.evaluate import long, short
from training.evaluation.heldout import clips_at_hand, long_speech, to_pixels, to_tensor
from training.evaluation.measures import stream_figures
from training.evaluation.sources import Source, load_engine, of_engine
from training.evaluation.statistics import interval
from training.networks import WEIGHTS as OUTPUT
from training.recipes.embedded import SMALL, Budget, Work
from training.rollout import sample
from training.samples import Samples

WINDOW = 16  # latents of the teacher's window (L_AR)
PLANNED = {"share": 0.85, "forwards": 1 / 20}  # what is asked of the student


class Passes:
    """Counts the latents that go through a trunk while it makes videos, sinks left out."""

    def __init__(self, engine: Engine) -> None:
        self.latents = 0
        engine.trunk.register_forward_pre_hook(self.count, with_kwargs=True)

    def count(self, trunk: Any, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
        if not any(isinstance(one, SinkContext) for one in (*inputs, *named.values())):
            self.latents += inputs[0].shape[0] * inputs[0].shape[2]


# The teacher as a source


def windows(
    engine: Engine, steps: int, scale: float, shift: float, portrait: Tensor, sound: np.ndarray, frames: int, seed: int
) -> Iterator[np.ndarray]:
    """The source that a teacher is: window after window of WINDOW latents, each from noise alone, `steps` Euler steps
    with audio guidance `scale`; decoded as one video."""
    config, margin, stride = engine.config, margin_of(engine), engine.config.vae.time_stride
    teacher = bidirectional(config, steps, shift)
    network = Denoiser(engine.trunk, engine.text)  # type: ignore[arg-type]
    given = engine.condition(portrait)
    generator = torch.Generator().manual_seed(seed)
    count = -(-(frames + stride - 1) // (WINDOW * stride))
    total = WINDOW * stride * count - (stride - 1)
    features = told(engine, sound, total, generator)
    shape = (1, config.vae.z_dim, WINDOW, *engine.latent_size)

    def estimate(
        config: EngineConfig,
        x: Tensor,
        level: Tensor,
        reference: Tensor,
        sink: Tensor,
        batch: Any,
        first: bool,
        **_: Any,
    ) -> Tensor:
        return guided(network, config, x, level, sink, batch, scale)

    parts = []
    with torch.inference_mode():
        for index in range(count):
            begin, end = (max(0, WINDOW * stride * at - (stride - 1)) for at in (index, index + 1))
            batch = {
                "latents": torch.empty(shape),
                "reference": given.reference,
                "features": features[:, begin : end + 2 * margin],
                "ids": torch.tensor([Prompt().ids()]),
                "first": torch.tensor(index == 0),
            }
            parts.append(sample(estimate, teacher, batch, generator, two_phase=False))  # type: ignore[arg-type]
        video = engine.vae.decode(torch.cat(parts, dim=2))[0][0]
    yield to_pixels(video.transpose(0, 1))


def bidirectional(config: EngineConfig, steps: int, shift: float) -> EngineConfig:
    """The teacher's windows under many plain steps."""
    found = teacher_config(config, WINDOW)
    stream = dataclasses.replace(
        found.stream, sigmas=schedules.wan(steps, shift), sampler="euler", cache_write="per_step"
    )
    return dataclasses.replace(found, stream=stream)


def told(engine: Engine, sound: np.ndarray, frames: int, generator: torch.Generator) -> Tensor:
    """Features (1, frames + 2 margins, channels) of sound and head motion, as a stream makes them."""
    margin = margin_of(engine)
    start, samples = engine.audio.window(-margin, frames + 2 * margin)
    heard = np.pad(sound, (-start, max(0, samples + start - len(sound))))[:samples]
    with torch.inference_mode():
        features = engine.audio.features(torch.from_numpy(heard)[None].float())
    if engine.motion is None:
        return features
    made, _ = engine.motion.advance(engine.motion.start(), frames, Prompt(), generator)
    track = torch.cat([torch.zeros(2 * margin, made.shape[1]), made])
    return torch.cat([features, track[None]], dim=-1)


def margin_of(engine: Engine) -> int:
    """Frames on either side that the audio adapter's window reads."""
    assert engine.config.trunk.audio is not None
    return engine.config.trunk.audio.window // 2


# Student against teacher


def against_teacher(args: Any, clips: Sequence[common.Held], reader: MouthReader) -> dict[str, Any]:
    """Lip-sync correlation of both, the student's share of it, and forwards per latent of video."""
    student = [*([args.student] if args.student else []), *args.parts]
    engines = {
        "student": load_engine(args.preset, student),
        "teacher": load_engine(args.preset, [*([args.teacher] if args.teacher else []), *student]),  # one decoder
    }
    sources: dict[str, Source] = {
        "student": of_engine(engines["student"]),
        "teacher": partial(windows, engines["teacher"], args.steps, args.guidance, args.shift),
    }
    passes = {name: Passes(engine) for name, engine in engines.items()}
    config = engines["student"].config
    frames = WINDOW * config.vae.time_stride - (config.vae.time_stride - 1)
    opening: dict[str, list[np.ndarray]] = {name: [] for name in (*sources, "true")}
    spoken = []
    for i, clip in enumerate(tqdm(clips, desc="student and teacher", mininterval=5)):
        cut = dataclasses.replace(clip, frames=clip.frames[:frames])
        for name, source in sources.items():
            made, true = short(source, config.size, cut, args.seed * 1000 + i, reader, lead=0)
            opening[name].append(made["open"])
        opening["true"].append(true["open"])
        spoken.append(clip.params[:frames, 0])
    video = len(clips) * WINDOW
    figures: dict[str, Any] = {"clips": len(clips), "frames": frames, "steps": args.steps, "guidance": args.guidance}
    figures["forwards_per_latent"] = {name: one.latents / video for name, one in passes.items()}
    figures["forwards"] = passes["student"].latents / passes["teacher"].latents
    for kind, statistic in {"pooled": lipsync.pooled, "per_clip": lipsync.per_clip}.items():
        figures[kind] = {name: statistic(found, spoken) for name, found in opening.items()}
        figures[kind]["share"] = share(statistic, opening, spoken)
    return figures


def share(statistic: Any, opening: dict[str, list[np.ndarray]], spoken: list[np.ndarray]) -> list[float]:
    """The student's figure over the teacher's, with the interval over clips, which both met."""

    def ratio(student: list[np.ndarray], teacher: list[np.ndarray], truth: list[np.ndarray]) -> float:
        whole = statistic(teacher, truth)
        return float(statistic(student, truth) / whole) if whole else float("nan")

    columns = opening["student"], opening["teacher"], spoken
    return [ratio(*columns), *lipsync.bootstrap(ratio, *columns)]


# After the recipe against before


def against_before(args: Any, clips: Sequence[common.Held], reader: MouthReader, seconds: float) -> dict[str, Any]:
    """Lips on clips, drift over long streams, seconds per chunk; differences are paired by clip."""
    engines = {name: load_engine(args.preset, [getattr(args, name)]) for name in ("before", "after")}
    size = engines["after"].config.size
    opening: dict[str, list[np.ndarray]] = {name: [] for name in engines}
    columns: dict[str, dict[str, list[float]]] = {name: {} for name in engines}
    for i, clip in enumerate(tqdm(clips, desc="before and after", mininterval=5)):
        for name, engine in engines.items():
            made, _ = short(of_engine(engine), size, clip, args.seed * 1000 + i, reader)
            opening[name].append(made["open"])
            sync = lipsync.per_clip([made["open"]], [clip.params[:, 0]])
            columns[name].setdefault("sync", []).append(sync)
    for i, clip in enumerate(tqdm(clips[: args.people], desc="long streams", mininterval=5)):
        for name, engine in engines.items():
            made = long(of_engine(engine), size, clip, seconds, i, args.seed * 1000 + i, reader)
            found = stream_figures(made, made["truth"], 1.0)
            for key in ("sync", "sync_last", "identity", "identity_drift", "colour_drift", "colour_wander"):
                columns[name].setdefault(f"long_{key}", []).append(found[key])
    spoken = [clip.params[:, 0] for clip in clips]
    figures: dict[str, Any] = {"seconds": seconds, "people": args.people}
    figures["pooled"] = {name: lipsync.pooled(found, spoken) for name, found in opening.items()}
    for key in columns["after"]:
        a, b = (np.array(columns[name][key]) for name in ("after", "before"))
        figures[key] = {"before": float(np.nanmean(b)), "after": float(np.nanmean(a))}
        figures[key]["difference"] = list(interval([a - b]))
    figures["chunk_cost"] = paired_ratio(*turns(engines["after"], engines["before"], args.turns)).tolist()
    return figures


def film(args: Any, clip: common.Held, folder: Path, seconds: float = 8.0) -> None:
    """before.mp4 and after.mp4: the same person saying the same, in a voice that none was trained on."""
    for name in ("before", "after"):
        engine = load_engine(args.preset, [getattr(args, name)])
        samples = Samples(engine.config, SampleSettings(), folder)
        samples.portraits = {name: to_tensor(clip.portrait[None], engine.config.size)[0]}
        samples.sound = long_speech(seconds, args.seed)[0]
        samples.video(engine, name, seconds, args.seed, folder / f"{name}.mp4")


def turns(a: Engine, b: Engine, count: int) -> tuple[np.ndarray, np.ndarray]:
    """CPU seconds of `count` chunks of two engines, one chunk of each after the other, once both have a history."""
    engines, seconds = (a, b), np.zeros((2, count))
    states = [engine.start(engine.condition(common.portrait(engine.config)), 0) for engine in engines]
    for turn in range(-4, count):
        for i, engine in enumerate(engines):
            sound = torch.zeros(engine.samples_needed(states[i]))
            since = time.process_time()
            states[i], _ = engine.step(states[i], sound)
            if turn >= 0:
                seconds[i, turn] = time.process_time() - since
    return seconds[0], seconds[1]


def left_by_recipe(args: Any) -> None:
    """Fill in the folders that were not given: what the recipe of the preset has left."""
    recipe = Work.of(SMALL if args.preset == SMALL.preset else Budget())
    args.parts = [recipe.parts] if recipe.parts.is_dir() and args.preset != "debug" else []
    if args.preset != "debug":  # which has random weights
        args.student = args.student or recipe.runs / "long_tail" / OUTPUT
        args.teacher = args.teacher or recipe.runs / "teacher" / OUTPUT
        args.after = args.after or recipe.weights
    wanted = [args.student, args.teacher, *([args.before, args.after] if args.before else [])]
    for folder in wanted:
        if folder and not folder.is_dir():
            raise SystemExit(f"{folder}: no weights here; run python -m training.recipes.embedded, or name a folder")


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--student", type=Path, help="folder of parts (default: the recipe's)")
    parser.add_argument("--teacher", type=Path, help="folder of parts (default: the recipe's)")
    parser.add_argument("--steps", type=int, default=40, help="of the teacher")
    parser.add_argument("--guidance", type=float, default=1.8, help="the teacher's audio scale")
    parser.add_argument("--shift", type=float, default=3.0, help="of the teacher's levels")
    parser.add_argument("--before", type=Path, help="folder of the embedded model before the recipe")
    parser.add_argument("--after", type=Path, help="folder of the embedded model after it (default: the recipe's)")
    parser.add_argument("--people", type=int, default=3, help="long streams")
    parser.add_argument("--turns", type=int, default=40, help="chunks that are timed")
    parser.add_argument("--videos", type=Path, metavar="DIR", help="write before.mp4 and after.mp4 here")
    parser.add_argument("--corpus", type=Path, help="held-out corpus (default: the cached one, or rendered now)")
    parser.add_argument("--reader", type=Path, default=WEIGHTS, help="weights of the mouth reader")
    args = parser.parse_args()
    if args.videos and not args.before:
        parser.error("--videos: shows two models; name the other one with --before")
    facts, reader = common.hardware(args.threads), load_reader(args.reader)
    torch.set_num_threads(args.threads)
    left_by_recipe(args)
    count = args.clips or (2 if args.quick else 24)
    print("held-out clips ...", file=sys.stderr, flush=True)
    if args.corpus:
        clips = list(common.held_out(count, ["general"], args.corpus))
    else:
        clips = clips_at_hand(count, ["general"], get_preset(args.preset).size[0])

    figures: dict[str, Any] = {"student": against_teacher(args, clips, reader)}
    student_table(figures["student"])
    if args.before:
        figures["recipe"] = against_before(args, clips, reader, args.seconds or (2.0 if args.quick else 120.0))
        recipe_table(figures["recipe"])
    if args.videos:
        film(args, clips[0], args.videos)
    common.finish(args, "distillation", facts, figures)


def student_table(found: dict[str, Any]) -> None:
    rows: list[list[Any]] = []
    for kind in ("pooled", "per_clip"):
        ratio, low, high = found[kind]["share"]
        names = [found[kind][name] for name in ("true", "teacher", "student")]
        rows.append([f"openness correlation, {kind}", *names, f"{ratio:.3f} [{low:.2f}, {high:.2f}]"])
    counted = found["forwards_per_latent"]
    rows.append(["forwards per latent", "-", counted["teacher"], counted["student"], f"{found['forwards']:.4f}"])
    title = f"{found['clips']} clips, teacher {found['steps']} steps at {found['guidance']:g}; "
    title += f"wanted: share >= {PLANNED['share']:g}, forwards <= {PLANNED['forwards']:g}"
    common.table(title, ("", "true", "teacher", "student", "student / teacher"), rows)


def recipe_table(found: dict[str, Any]) -> None:
    rows = []
    for key, value in found.items():
        if isinstance(value, dict) and "difference" in value:
            mean, low, high = value["difference"]
            rows.append([key, value["before"], value["after"], f"{mean:+.4f} [{low:+.4f}, {high:+.4f}]"])
    rows.append(["openness correlation, pooled", found["pooled"]["before"], found["pooled"]["after"], ""])
    ratio, low, high = found["chunk_cost"]
    rows.append(["CPU seconds per chunk", 1.0, ratio, f"[{low:.3f}, {high:.3f}]"])
    title = f"after the recipe against before it; {found['people']} streams of {found['seconds']:g} s"
    common.table(title, ("", "before", "after", "difference"), rows)


if __name__ == "__main__":
    main()
