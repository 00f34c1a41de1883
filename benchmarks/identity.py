"""Does a model tuned to a person draw that person? On procedural people it never saw, with words they never said.

    python benchmarks/identity.py                              # three people, 8 clips each: under 15 CPU-minutes each
    python benchmarks/identity.py --people 901 --steps 100

Each person's clips are written as videos and go the way a user's do (training/identity). Then model and tuned model
draw the same portrait saying new sentences in new voices, under a head motion of the person, so that for every frame
there is a true one: what the person looks like at that moment. Identity distances are to

    truth      the true frame of the same moment. The floor is what the codec alone leaves of true frames
    video      the same of whole videos: the mean of the made one's embeddings to that of the true one's. Gaze and
               expression of a single moment weigh less
    portrait   the one still that is given. A picture that never turns or speaks would be nearest to it, so that
               this one cannot tell how well a person is known

Lip sync is read from the lips against the openness that the sound calls for, with the tuned model on the person and on
other people, who must not be forgotten.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import common
import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from echotorrent_core.conditioning.text import Prompt
from echotorrent_core.metrics import identity, lipsync
from echotorrent_core.metrics.reader import load_reader
from echotorrent_core.stream import Engine
from echotorrent_core.weights.identity import apply
from training.corpus.person import Take, portrait, take, write_person
from training.data.rows import motion_features
from training.evaluation.measures import look
from training.identity.job import fine_tune
from training.jobs.report import Console

FRAMES = 77  # of a video: 13, then chunks of 16
NEW = 100  # number of the first clip that is not for training
PEOPLE = (901, 902, 903)  # held-out people that nothing here was tried on
OTHERS = (950, 951)


# Videos under a given motion


class Recorded:
    """Stands for `MotionTrack`: the motion (frames, 8) of a clip, from frame `at` on."""

    def __init__(self, motion: Tensor):
        self.motion = motion

    def start(self) -> Tensor:
        return torch.zeros(1)

    def advance(self, state: Tensor, frames: int, prompt: Prompt, generator: Any) -> tuple[Tensor, Tensor]:
        at = int(state[0])
        rows = torch.arange(at, at + frames).clamp_max(len(self.motion) - 1)
        return self.motion[rows], torch.tensor([float(at + frames)])


def motion_of(clip: Take) -> Tensor:
    """The clip's motion relative to the neutral still (T + 4, 8), with two frames more on both sides."""
    still = dataclasses.replace(clip.controls[0], yaw=0, pitch=0, roll=0, dx=0, dy=0, blink=0, gaze_x=0, gaze_y=0)
    controls = [*clip.controls, still]
    return motion_features(
        {
            "pose": np.array([(c.yaw, c.pitch, c.roll, c.dx, c.dy) for c in controls]),
            "gaze": np.array([(c.gaze_x, c.gaze_y) for c in controls]),
            "blink": np.array([c.blink for c in controls]),
        }
    )


def draw(engine: Engine, still: np.ndarray, clip: Take, seed: int) -> np.ndarray:
    """Frames (T, H, W, 3) of the person of `still` under a clip's sound, manner and motion."""
    motion, kept = motion_of(clip), engine.motion
    given = engine.condition(common.to_tensor(still[None])[0], clip.motion.manner.prompt)
    try:
        engine.motion = Recorded(motion[4:])  # type: ignore[assignment]
        state = dataclasses.replace(engine.start(given, seed), motion_ahead=motion[:4].clone())
        made, at = [], 0
        while state.frames < len(clip.frames):
            need = engine.samples_needed(state)
            heard = np.pad(clip.sound[at : at + need], (0, max(0, at + need - len(clip.sound))))[:need]
            state, video = engine.step(state, torch.from_numpy(heard).float())
            made.append(common.to_pixels(video[0].transpose(0, 1)))
            at += need
        return np.concatenate(made)[: len(clip.frames)]
    finally:
        engine.motion = kept


# Measures


def measure(engine: Engine, person: int, clips: Sequence[Take], through: str = "engine") -> dict[str, Any]:
    """Figures of what the engine draws, or of true frames through its codec alone (`codec`), or of these (`true`)."""
    reader, still = load_reader(), portrait(person)
    anchor = look(reader, still[None]).identity[0].numpy()
    truth, video_truth, single, opening, spoken, psnr, motion = [], [], [], [], [], [], []
    for seed, clip in enumerate(tqdm(clips, desc=f"{person} {through}", mininterval=5)):
        if through == "engine":
            frames = draw(engine, still, clip, seed)
        elif through == "codec":
            video = common.to_tensor(clip.frames).transpose(0, 1)[None]
            with torch.inference_mode():
                frames = common.to_pixels(engine.vae.decode(engine.vae.encode(video)[0])[0][0].transpose(0, 1))
        else:
            frames = clip.frames
        seen, true = look(reader, frames), look(reader, clip.frames).identity
        truth.append(float((1 - (seen.identity * true).sum(1)).mean()))
        means = seen.identity.mean(0, keepdim=True).numpy(), true.mean(0).numpy()
        video_truth.append(float(identity.distance(*means)[0]))
        single.append(float(identity.distance(seen.identity.numpy(), anchor).mean()))
        opening.append(seen.open.numpy())
        spoken.append(clip.params[:, 0])
        psnr.append(float(np.mean((frames.astype(np.float32) - clip.frames) ** 2)))
        still_motion = np.abs(np.diff(clip.frames.astype(np.float32), axis=0)).mean()
        motion.append(float(np.abs(np.diff(frames.astype(np.float32), axis=0)).mean() / still_motion))
    return {
        "truth": float(np.mean(truth)),
        "video": float(np.mean(video_truth)),
        "portrait": float(np.mean(single)),
        "sync": lipsync.pooled(opening, spoken),
        "spread": lipsync.spread_ratio(opening, spoken),
        "psnr": float(10 * np.log10(255**2 / np.mean(psnr))) if through != "true" else float("nan"),
        "motion": float(np.mean(motion)),
        "by_clip": truth,
    }


def new_clips(person: int, count: int) -> list[Take]:
    """Clips of new words by voices that no part was trained on."""
    return [take(person, NEW + number, FRAMES / 25, voices="heldout") for number in range(count)]


# Tuning


def tune(person: int, folder: Path, clips: int, settings: dict[str, Any]) -> tuple[Path, float]:
    """The identity of a person's clips, and the CPU seconds that it took, data included. Goes on where it stopped,
    but counts this call's seconds alone."""
    dataset = folder / "dataset"
    if not (dataset / "dataset.json").is_file():
        write_person(dataset / "clips", person, clips)
        (dataset / "dataset.json").write_text(json.dumps({"name": f"person {person}", "clips": {}}))
    began = time.process_time()
    spec = {"preset": "embedded", "dataset": str(dataset), "name": f"person {person}", "settings": settings}
    made = fine_tune(spec, folder, Console())
    return Path(made["identity"]), time.process_time() - began


def row(title: str, figures: dict[str, Any]) -> list[Any]:
    return [title, *(figures[name] for name in ("truth", "video", "portrait", "sync", "spread", "psnr", "motion"))]


def main() -> None:
    parser = common.parser(__doc__, threads=1)
    parser.add_argument("--people", type=lambda text: tuple(map(int, text.split(","))), default=PEOPLE)
    parser.add_argument("--out", type=Path, help="keep datasets, runs and identities here (default: a scratch folder)")
    parser.add_argument("--tune", type=int, default=8, help="clips to tune on")
    parser.add_argument("--steps", type=int, help="of the trunk, instead of the preset's")
    parser.add_argument("--decoder-steps", type=int, help="of the decoder, instead of the preset's")
    args = parser.parse_args()
    facts, count = common.hardware(args.threads), args.clips or (1 if args.quick else 8)
    people = args.people[:1] if args.quick else args.people
    settings: dict[str, Any] = {"sample_every": 0, "seed": args.seed}
    given = {"steps": args.steps, "decoder_steps": args.decoder_steps}
    if args.quick:
        given, args.tune = {"steps": 2, "decoder_steps": 2}, 2
    settings |= {name: value for name, value in given.items() if value is not None}
    with tempfile.TemporaryDirectory() as scratch:
        root = args.out or Path(scratch)
        figures = {
            str(person): one_person(args, root / f"person-{person}", person, count, settings) for person in people
        }
    gains, whole = (
        {name: 1 - f["tuned"][key] / f["untuned"][key] for name, f in figures.items()} for key in ("truth", "video")
    )
    lost = {name: 1 - f["tuned"]["sync"] / f["untuned"]["sync"] for name, f in figures.items()}
    common.table(
        "in short: identity distance falls by, lip sync loses (shares), CPU minutes",
        ("", "distance falls", "of video", "sync loses", "others' sync loses", "CPU minutes"),
        [
            (
                name,
                gains[name],
                whole[name],
                lost[name],
                1 - f["others_tuned"]["sync"] / f["others_untuned"]["sync"],
                f["cpu_minutes"],
            )
            for name, f in figures.items()
        ],
    )
    summary = {"distance_falls": gains, "video_distance_falls": whole, "sync_loses": lost}
    common.finish(args, "identity", facts, {"people": figures, "summary": summary, "settings": settings})


def one_person(
    args: argparse.Namespace, folder: Path, person: int, count: int, settings: dict[str, Any]
) -> dict[str, Any]:
    """All figures of one person."""
    path, seconds = tune(person, folder, args.tune, settings)
    clips = new_clips(person, count)
    strangers = [(other, new_clips(other, max(1, count // 2))) for other in OTHERS]
    untuned, tuned = common.engine(args), apply(common.engine(args), path, 1.0)
    found: dict[str, Any] = {"cpu_minutes": seconds / 60, "bytes": path.stat().st_size}
    found |= {"floor": measure(untuned, person, clips, "codec"), "true": measure(untuned, person, clips, "true")}
    found |= {"untuned": measure(untuned, person, clips), "tuned": measure(tuned, person, clips)}
    for name, engine in (("others_untuned", untuned), ("others_tuned", tuned)):
        several = [measure(engine, other, some) for other, some in strangers]
        found[name] = {key: float(np.mean([one[key] for one in several])) for key in several[0] if key != "by_clip"}
    header = ("", "to truth", "of video", "to portrait", "sync", "spread", "PSNR", "motion")
    lines = [row(name, found[name]) for name in ("true", "floor", "untuned", "tuned", "others_untuned", "others_tuned")]
    common.table(f"person {person}: {count} new clips, tuned in {seconds / 60:.1f} CPU minutes", header, lines)
    return found


if __name__ == "__main__":
    main()
