"""Do the lips follow, and does the picture stay as it is? Read from the pixels, on people and voices never trained on.

    python benchmarks/quality.py                               # 30 clips, 120 s of drift, the shipped speech
    python benchmarks/quality.py --domains general,singing,rare,profile --clips 100
    python benchmarks/quality.py --audio-dir recordings        # speech of your own

Three sources go through the same mouth reader: true frames, their VAE reconstruction (what the reader and the VAE leave
of a perfect generator), and what the engine makes from the portrait and the sound. The engine hears each clip from 12
frames earlier on, so that its 77 frames end with the clip's last. A fourth one is what the audio encoder alone knows.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import common
import numpy as np
import torch
from tqdm import tqdm

from echotorrent_core.errors import InputError
from echotorrent_core.media import read_sound
from echotorrent_core.metrics import drift, identity, lipsync
from echotorrent_core.metrics.reader import WEIGHTS, MouthReader, load_reader
from echotorrent_core.weights.parts import ASSETS
from training.evaluation.evaluate import LEAD, long
from training.evaluation.measures import Measured, look
from training.evaluation.sources import of_engine, stream

Columns = dict[str, list[np.ndarray]]


# Lips


def measure_clips(engine: Any, reader: MouthReader, clips: list[common.Held], seed: int) -> dict[str, Columns]:
    """Per source (true, vae, engine, sound) the tracks of every clip."""
    names = ("open", "wide", "confidence", "identity")
    sources: dict[str, Columns] = {s: {n: [] for n in names} for s in ("true", "vae", "engine", "sound")}
    for i, clip in enumerate(tqdm(clips, desc="clips", mininterval=5)):
        size = engine.config.size
        small = common.to_tensor(clip.frames, size)
        portrait = common.to_tensor(clip.portrait[None], size)[0]
        with torch.inference_mode():
            again = engine.vae.decode(engine.vae.encode(small.transpose(0, 1)[None])[0])[0][0].transpose(0, 1)
        sound = clip.sound[clip.margin - LEAD * 640 :]
        made = np.concatenate(list(stream(engine, portrait, sound, LEAD + len(clip.frames), seed + i)))
        reference = look(reader, clip.portrait[None]).identity[0].numpy()
        for source, frames in (
            ("true", common.to_pixels(small)),
            ("vae", common.to_pixels(again)),
            ("engine", made[LEAD : LEAD + len(clip.frames)]),
        ):
            reading = look(reader, frames)
            for name in names[:3]:
                sources[source][name].append(getattr(reading, name).numpy())
            sources[source]["identity"].append(identity.distance(reading.identity.numpy(), reference))
        heard = viseme_track(engine, clip.sound, clip.margin, len(clip.frames))
        sources["sound"]["open"].append(heard[:, 0])
        sources["sound"]["wide"].append(heard[:, 1])
    return sources


def viseme_track(engine: Any, sound: np.ndarray, first: int, frames: int) -> np.ndarray:
    """The audio encoder's own mouth parameters (F, 4) of `frames` frames that begin at sample `first`."""
    start, count = engine.audio.window(0, frames)
    start += first
    span = np.pad(sound[max(0, start) : start + count], (max(0, -start), max(0, start + count - len(sound))))
    channels = engine.config.audio.channels
    with torch.inference_mode():
        features = engine.audio.features(torch.from_numpy(span)[None].float())[0, :frames]
    return features[:, channels : channels + 4].numpy()


def lips(found: Columns, clips: list[common.Held]) -> dict[str, Any]:
    """The figures of one source."""
    opening, wide = found["open"], found["wide"]
    truth, spread = [c.params[:, 0] for c in clips], [c.params[:, 1] for c in clips]
    closures = [c.closures for c in clips]

    def both(statistic: Callable[..., float], *columns: list[np.ndarray]) -> dict[str, Any]:
        return {"value": statistic(*columns), "interval": lipsync.bootstrap(statistic, *columns)}

    figures: dict[str, Any] = {
        "open_pooled": both(lipsync.pooled, opening, truth),
        "open_per_clip": both(lipsync.per_clip, opening, truth),
        "offset_frames": lipsync.best_offset(opening, truth),
        "shuffled": lipsync.shuffled(opening, truth),
        "spread_ratio": both(lipsync.spread_ratio, opening, truth),
        "closures_hit": both(lipsync.closure_hits, opening, closures),
        "closures_by_chance": lipsync.closure_chance(opening, closures),
        "closure_frames": lipsync.closure_frames(opening, closures),
        "wide_pooled": lipsync.pooled(wide, spread),
    }
    for name in ("confidence", "identity"):
        if found[name]:
            figures[name] = float(np.mean(np.concatenate(found[name])))
    return figures


def lips_table(title: str, sources: dict[str, dict[str, Any]]) -> None:
    rows = []
    for key, wanted in {
        "open_pooled": ">= 0.70", "open_per_clip": "", "offset_frames": "0 +- 1", "shuffled": "0",
        "spread_ratio": ">= 0.8", "closures_hit": ">= 0.80", "closures_by_chance": "", "closure_frames": "",
        "wide_pooled": "", "identity": "", "confidence": "",
    }.items():  # fmt: skip
        rows.append([key, *(_with_interval(figures.get(key, float("nan"))) for figures in sources.values()), wanted])
    common.table(title, ("", *sources, "wanted of engine"), rows)


def _with_interval(figure: Any) -> Any:
    if not isinstance(figure, dict):
        return figure
    return f"{figure['value']:.3f} [{figure['interval'][0]:.2f}, {figure['interval'][1]:.2f}]"


# Drift


MEASURES = {
    "identity": "identity distance",
    "colour": "colour",
    "background": "corner change",
    "sharpness": "sharpness",
    "psnr": "PSNR to portrait, dB",
    "confidence": "confidence",
    "motion": "motion",
}


def drift_figures(runs: list[Measured]) -> dict[str, Any]:
    """Per measure: fifths averaged over people, and the largest change to the first fifth that anyone shows."""
    figures: dict[str, Any] = {}
    for key, name in MEASURES.items():
        parts = [drift.fifths(run[key]) for run in runs]
        shown = [p.mean(axis=1) if p.ndim == 2 else p for p in parts]
        figures[name] = {"fifths": np.mean(shown, axis=0), "largest_change": max(map(drift.largest_change, parts))}
    pieces = [[np.array_split(run[key], drift.PARTS) for run in runs] for key in ("open", "truth")]
    synced = [lipsync.pooled([r[k] for r in pieces[0]], [r[k] for r in pieces[1]]) for k in range(drift.PARTS)]
    figures["openness correlation"] = {"fifths": synced, "largest_change": float(np.ptp(synced))}
    return figures


# Other speech


def energy_track(sound: np.ndarray, frames: int) -> np.ndarray:
    """Loudness (F,): root mean square of three frames around each, in dB above -50 dB of full scale, scaled to 0..1."""
    padded = np.pad(sound, (640, max(0, (frames + 1) * 640 - len(sound))))
    power = np.add.reduceat(padded.astype(np.float64) ** 2, np.arange(0, (frames + 2) * 640, 640))[: frames + 2]
    mean = np.convolve(power / 640, (0.25, 0.5, 0.25), "valid")
    return np.clip(10 * np.log10(mean + 1e-10) + 50, 0, None) / 50


def other_speech(
    engine: Any, reader: MouthReader, paths: list[Path], portraits: list[np.ndarray], seconds: float, seed: int
) -> dict[str, dict[str, float]]:
    """Per file: openness against the audio encoder's viseme track and against loudness. Neither is the truth."""
    tracks: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
    for i, path in enumerate(tqdm(paths, desc="speech", mininterval=5)):
        sound = read_sound(path, common.RATE)[: round(seconds * common.RATE)]
        frames = len(sound) // 640
        portrait = common.to_tensor(portraits[i % len(portraits)][None], engine.config.size)[0]
        opening = np.concatenate(
            [look(reader, some).open.numpy() for some in stream(engine, portrait, sound, frames, seed)]
        )
        tracks[path.name] = opening[:frames], viseme_track(engine, sound, 0, frames)[:, 0], energy_track(sound, frames)
    figures = {}
    for name, (opening, heard, loud) in tracks.items():
        others = [t for n, t in tracks.items() if n != name]
        figures[name] = {
            "seconds": len(opening) / 25,
            "with_visemes": lipsync.correlation(opening, heard),
            "offset_frames": lipsync.best_offset([opening], [heard]),
            "with_energy": lipsync.correlation(opening, loud),
            "visemes_with_energy": lipsync.correlation(heard, loud),
            "with_other_files_visemes": float(np.mean([lipsync.correlation(opening, t[1]) for t in others]))
            if others
            else float("nan"),
            "spread_ratio_to_visemes": lipsync.spread_ratio([opening], [heard]),
        }
    return figures


def sound_files(folder: Path) -> list[Path]:
    known = {".wav", ".flac", ".mp3", ".ogg", ".m4a", ".opus"}
    paths = sorted(p for p in folder.glob("*") if p.suffix.lower() in known)
    if not paths:
        raise InputError(f"{folder}: no sound files here; give a folder with {', '.join(sorted(known))}")
    return paths


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--domains", type=partial(str.split, sep=","), default=["general"], metavar="NAME,...")
    parser.add_argument("--corpus", type=Path, help="held-out corpus folder (default: clips are rendered now)")
    parser.add_argument("--people", type=int, help="people of the drift run")
    parser.add_argument("--audio-dir", "--other-speech", type=Path, default=ASSETS / "speech", help="other speech")
    parser.add_argument("--reader", type=Path, default=WEIGHTS, help="weights of the mouth reader")
    args = parser.parse_args()
    facts, engine, reader = common.hardware(args.threads), common.engine(args), load_reader(args.reader)
    count = args.clips or (2 if args.quick else 30)
    seconds = args.seconds or (2.0 if args.quick else 120.0)
    print("held-out clips ...", file=sys.stderr, flush=True)
    clips = list(tqdm(common.held_out(count, args.domains, args.corpus), total=count, mininterval=5))

    sources = measure_clips(engine, reader, clips, args.seed)
    figures: dict[str, Any] = {"clips": count, "frames": sum(len(c.frames) for c in clips)}
    figures["lips"] = {name: lips(found, clips) for name, found in sources.items()}
    title = f"{args.preset}: {count} held-out clips ({', '.join(args.domains)}), 95 % intervals over clips"
    lips_table(title, figures["lips"])
    for domain in args.domains if len(args.domains) > 1 else ():
        chosen = [i for i, clip in enumerate(clips) if clip.domain == domain]
        some = {n: [values[i] for i in chosen] for n, values in sources["engine"].items()}
        figures["lips"][domain] = lips(some, [clips[i] for i in chosen])
        lips_table(f"{domain}: {len(chosen)} clips", {"engine": figures["lips"][domain]})

    people = args.people or (1 if args.quick else 3)
    runs = [
        long(of_engine(engine), engine.config.size, clip, seconds, args.seed + i, args.seed + i, reader)
        for i, clip in enumerate(tqdm(clips[:people], desc="drift", mininterval=5))
    ]
    figures["drift"] = {"seconds": seconds, "people": people, "measures": drift_figures(runs)}
    rows = [(n, *(float(v) for v in m["fifths"]), m["largest_change"]) for n, m in figures["drift"]["measures"].items()]
    title = f"{seconds:g} s, {people} people: means of fifths, and the largest change to the first fifth of anyone"
    common.table(title, ("", "1st", "2nd", "3rd", "4th", "5th", "change"), rows)

    paths = sound_files(args.audio_dir)[: 2 if args.quick else None]
    portraits = [clip.portrait for clip in clips]
    figures["other_speech"] = other_speech(engine, reader, paths, portraits, 2.0 if args.quick else 20.0, args.seed)
    header = ("", "seconds", "visemes", "offset", "energy", "visemes-energy", "other files", "spread")
    lines = [(name, *values.values()) for name, values in figures["other_speech"].items()]
    common.table("other speech: openness against the encoder's visemes and against loudness", header, lines)
    common.finish(args, "quality", facts, figures)


if __name__ == "__main__":
    main()
