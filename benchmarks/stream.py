"""How fast does it stream, how soon is the first picture there, and does length cost memory or time?

    python benchmarks/stream.py                    # a live start, a 1-minute and a 10-minute stream
    python benchmarks/stream.py --seconds 120      # the long one shorter

Each stream runs in its own process through the real session: sound in, chunks encoded and committed to a run folder
with the state. `live` pushes sound as a microphone would; the others find all sound waiting.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import common
import numpy as np

from echotorrent_core.metrics import timing
from echotorrent_core.run_folder import RunFolder
from echotorrent_core.session import Session

LIVE_SECONDS = 8.0
SETTLED = 2  # the first chunk is shorter, and the second one meets cold caches


def run_stream(args: Any, seconds: float, live: bool) -> dict[str, Any]:
    """One stream in this process: its timings per chunk, and the peak memory of the process."""
    engine = common.engine(args)
    conditioning = engine.condition(common.portrait(engine.config))
    wall: list[float] = []
    cpu: list[float] = []
    used: list[float] = []

    def on_chunk(event: dict[str, Any]) -> None:
        wall.append(time.perf_counter())
        cpu.append(time.process_time())
        used.append(session.source_position / common.RATE)

    with tempfile.TemporaryDirectory() as folder:
        info = {"preset": engine.config.name, "fingerprint": engine.fingerprint, "seed": args.seed}
        with RunFolder.create(Path(folder) / "run", info) as run:
            session = Session(engine, conditioning, run, args.seed, on_chunk=on_chunk)
            begun, cpu_begun = time.perf_counter(), time.process_time()
            with session:
                pushed = 0
                for block in common.speech(seconds):
                    pushed += len(block)
                    if live:
                        time.sleep(max(0.0, begun + pushed / common.RATE - time.perf_counter()))
                    session.push(block)
                session.end()
                session.wait()
            kept = sum(path.stat().st_size for path in run.media())
    fps = engine.config.stream.fps
    chunk_seconds = [engine.frames_in_chunk(i) / fps for i in range(len(wall))]
    return {
        "video": min(seconds, sum(chunk_seconds)),
        "chunk_seconds": chunk_seconds,
        "wall": np.diff([begun, *wall]).tolist(),
        "cpu": np.diff([cpu_begun, *cpu]).tolist(),
        "heard": used,
        "ready": [w - begun for w in wall],
        "peak_mb": peak_memory(),
        "kilobit_per_second": kept * 8 / 1000 / seconds,
    }


def peak_memory() -> float:
    """Largest resident memory of this process so far, MiB."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return float(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024
    except (OSError, StopIteration):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def worker(args: Any, seconds: float, live: bool = False) -> dict[str, Any]:
    """`run_stream` in a fresh process."""
    print(f"{'live' if live else 'stream'} of {seconds:g} s ...", file=sys.stderr, flush=True)
    command = [sys.executable, __file__, "--preset", args.preset, "--threads", str(args.threads)]
    command += ["--seed", str(args.seed), "--seconds", str(seconds), "--worker", "live" if live else "ahead"]
    command += ["--weights", str(args.weights)] if args.weights else []
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the stream of {seconds:g} s failed; its message is above")
    return json.loads(done.stdout.splitlines()[-1])


def summary(live: dict[str, Any], short: dict[str, Any], long: dict[str, Any]) -> dict[str, Any]:
    """The figures, from the three streams."""
    wall, cpu = long["wall"][SETTLED:-1], long["cpu"][SETTLED:-1]  # the last chunk is cut
    ready = timing.ready_times(long["heard"], long["wall"])
    blocks = min(10, len(wall))
    return {
        "real_time_factor": timing.real_time_factor(long["video"], sum(long["wall"])),
        "real_time_factor_of_the_median_chunk": long["chunk_seconds"][-1] / timing.percentile(wall, 0.5),
        "first_frames_s": live["ready"][0],
        "first_frames_after_their_sound_s": live["ready"][0] - live["heard"][0],
        "live_playback_delay_s": timing.playback_delay(live["ready"], live["chunk_seconds"]),
        "modelled_playback_delay_s": timing.playback_delay(ready[:-1], long["chunk_seconds"][:-1]),
        "chunk_s": long["chunk_seconds"][-1],
        "chunk_p50_s": timing.percentile(wall, 0.5),
        "chunk_p95_s": timing.percentile(wall, 0.95),
        "chunk_max_s": max(wall),
        "cpu_per_chunk_s": timing.percentile(cpu, 0.5),
        "chunks": len(long["wall"]),
        "seconds": [short["video"], long["video"]],
        "peak_mb": [short["peak_mb"], long["peak_mb"]],
        "memory_ratio": long["peak_mb"] / short["peak_mb"],
        "cost_flatness_wall": timing.flatness(wall, blocks),
        "cost_flatness_cpu": timing.flatness(cpu, blocks),
        "cost_trend_wall": timing.trend(wall),
        "cost_trend_cpu": timing.trend(cpu),
        "kilobit_per_second": long["kilobit_per_second"],
    }


def main() -> None:
    parser = common.parser(__doc__, seconds=None)
    parser.add_argument("--worker", choices=("ahead", "live"), help="run one stream here and print its timings")
    args = parser.parse_args()
    if args.worker:
        print(json.dumps(run_stream(args, args.seconds, args.worker == "live")))
        return
    facts = common.hardware(args.threads)
    seconds = args.seconds or (20.0 if args.quick else 600.0)
    live = worker(args, 2.0 if args.quick else LIVE_SECONDS, live=True)
    f = summary(live, worker(args, seconds / 10), worker(args, seconds))
    rows = [
        ("real-time factor", f["real_time_factor"], ">= 1.0"),
        ("first frames, s after the sound began", f["first_frames_s"], "<= 1.5"),
        ("first frames, s after the sound they need", f["first_frames_after_their_sound_s"], ""),
        ("picture behind sound in live play, s", f["live_playback_delay_s"], ""),
        ("chunk p50, s", f["chunk_p50_s"], ""),
        ("chunk p95, s", f["chunk_p95_s"], f"< {f['chunk_s']:g}"),
        ("CPU time per chunk, s", f["cpu_per_chunk_s"], ""),
        (f"peak memory of {f['seconds'][0]:g} s, MiB", f["peak_mb"][0], ""),
        (f"peak memory of {f['seconds'][1]:g} s, MiB", f["peak_mb"][1], "+5 % at most"),
        (f"cost from chunk {SETTLED} to the last, trend, wall", f["cost_trend_wall"], "+-0.03"),
        ("the same in CPU time", f["cost_trend_cpu"], "+-0.03"),
        ("largest deviation of a tenth, wall", f["cost_flatness_wall"], ""),
        ("largest deviation of a tenth, CPU", f["cost_flatness_cpu"], ""),
    ]
    common.table(f"{args.preset}, through the session, {f['chunks']} chunks", ("", "value", "wanted"), rows)
    common.finish(args, "stream", facts, f)


if __name__ == "__main__":
    main()
