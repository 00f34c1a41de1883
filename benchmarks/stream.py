"""How fast does it stream, how soon is the first picture there, and does length cost memory or time?

    python benchmarks/stream.py                    # a live start, a 1-minute and a 10-minute stream
    python benchmarks/stream.py --seconds 120      # the long one shorter

Each stream runs in its own process through the real session: sound in, chunks encoded and committed to a run folder
with the state. `live` pushes sound as a microphone would; the others find all sound waiting. Whether late chunks cost
more than early ones is measured on two streams that make a chunk in turns, one ten minutes old and one just begun: the
speed of a shared machine drifts by more in ten minutes than the cost may.
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
TURNS = 60  # chunks made in turns by the old and the young stream


class Turns:
    """Called after each chunk: from chunk `after` on, the next is made when a line comes in, and its cost goes out.

    Pairs of (wall, CPU) seconds, one JSON line each; `[]` says that the first turn may come. End of input ends turns.
    """

    def __init__(self, after: int):
        self.left = after
        self.begun: tuple[float, float] | None = None

    def __call__(self) -> None:
        self.left -= 1
        if self.left > 0:
            return
        now = time.perf_counter(), time.process_time()
        print(json.dumps([a - b for a, b in zip(now, self.begun, strict=True)] if self.begun else []), flush=True)
        sys.stdin.readline()
        self.begun = time.perf_counter(), time.process_time()


def run_stream(args: Any, seconds: float, live: bool) -> dict[str, Any]:
    """One stream in this process: its timings per chunk, and the peak memory of the process."""
    engine = common.engine(args)
    per_chunk = engine.frames_in_chunk(1) / engine.config.stream.fps
    turns = Turns(int(seconds / per_chunk)) if args.turns else None
    conditioning = engine.condition(common.portrait(engine.config))
    wall: list[float] = []
    cpu: list[float] = []
    used: list[float] = []

    def on_chunk(event: dict[str, Any]) -> None:
        wall.append(time.perf_counter())
        cpu.append(time.process_time())
        used.append(session.source_position / common.RATE)
        if turns:
            turns()

    with tempfile.TemporaryDirectory() as folder:
        info = {"preset": engine.config.name, "fingerprint": engine.fingerprint, "seed": args.seed}
        with RunFolder.create(Path(folder) / "run", info) as run:
            session = Session(engine, conditioning, run, args.seed, on_chunk=on_chunk)
            begun, cpu_begun = time.perf_counter(), time.process_time()
            with session:
                pushed = 0
                for block in common.speech(seconds + args.turns * per_chunk):
                    pushed += len(block)
                    if live:
                        time.sleep(max(0.0, begun + pushed / common.RATE - time.perf_counter()))
                    session.push(block)
                session.end()
                session.wait()
            kept = sum(path.stat().st_size for path in run.media())
    if turns:  # what came after is not part of the stream that was asked for
        del wall[int(seconds / per_chunk) :], cpu[int(seconds / per_chunk) :], used[int(seconds / per_chunk) :]
    chunk_seconds = [engine.frames_in_chunk(i) / engine.config.stream.fps for i in range(len(wall))]
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
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return float(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024
    except (OSError, StopIteration):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


class Worker:
    """`run_stream` in a fresh process."""

    def __init__(self, args: Any, seconds: float, live: bool = False, turns: int = 0):
        print(f"{'live' if live else 'stream'} of {seconds:g} s ...", file=sys.stderr, flush=True)
        command = [sys.executable, __file__, "--preset", args.preset, "--threads", str(args.threads)]
        command += ["--seed", str(args.seed), "--seconds", str(seconds), "--worker", "live" if live else "ahead"]
        command += ["--turns", str(turns)]
        command += ["--weights", str(args.weights)] if args.weights else []
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def line(self) -> Any:
        """The next line it prints, waited for."""
        assert self.process.stdout is not None
        text = self.process.stdout.readline()
        if not text:
            raise SystemExit("a stream failed; its message is above")
        return json.loads(text)

    def turn(self) -> list[float]:
        """Wall and CPU seconds of one chunk, made now."""
        assert self.process.stdin is not None
        print(file=self.process.stdin, flush=True)
        return self.line()

    def result(self) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.close()
        while isinstance(line := self.line(), list):  # chunks that nobody waited for
            pass
        self.process.wait()
        return line


def by_turns(args: Any, seconds: float, count: int) -> tuple[dict[str, Any], np.ndarray]:
    """A stream of `seconds`, and then the costs (count, old and young, wall and CPU) of chunks that it and a fresh
    stream make in turns."""
    old = Worker(args, seconds, turns=count)
    old.line()
    young = Worker(args, 3.0, turns=count)
    young.line()
    costs = [[stream.turn() for stream in (old, young)] for _ in range(count - 2)]  # the last of all may be cut
    young.result()
    return old.result(), np.array(costs)


def summary(live: dict[str, Any], short: dict[str, Any], long: dict[str, Any], turns: np.ndarray) -> dict[str, Any]:
    """The figures, from the three streams and the costs by turns."""
    growth = timing.paired_ratio(turns[:, 0], turns[:, 1]) - 1
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
        "cost_growth_wall": growth[0].tolist(),
        "cost_growth_cpu": growth[1].tolist(),
        "cost_flatness_wall": timing.flatness(wall, blocks),
        "cost_flatness_cpu": timing.flatness(cpu, blocks),
        "cost_trend_wall": timing.trend(wall),
        "cost_trend_cpu": timing.trend(cpu),
        "kilobit_per_second": long["kilobit_per_second"],
    }


def main() -> None:
    parser = common.parser(__doc__, seconds=None)
    parser.add_argument("--worker", choices=("ahead", "live"), help="run one stream here and print its timings")
    parser.add_argument("--turns", type=int, default=0, help="worker: this many chunks more, one per line of input")
    args = parser.parse_args()
    if args.worker:
        print(json.dumps(run_stream(args, args.seconds, args.worker == "live")))
        return
    facts = common.hardware(args.threads)
    seconds = args.seconds or (20.0 if args.quick else 600.0)
    live = Worker(args, 2.0 if args.quick else LIVE_SECONDS, live=True).result()
    short = Worker(args, seconds / 10).result()
    f = summary(live, short, *by_turns(args, seconds, 8 if args.quick else TURNS))
    wall, cpu = ("{:+.3f} [{:+.3f}, {:+.3f}]".format(*f[f"cost_growth_{name}"]) for name in ("wall", "cpu"))
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
        (f"cost of chunks from {f['chunks']} on against from 3 on, in turns, wall", wall, "+-0.03"),
        ("the same in CPU time", cpu, "+-0.03"),
        ("trend along the long stream, machine included, wall", f["cost_trend_wall"], ""),
        ("the same in CPU time", f["cost_trend_cpu"], ""),
        ("largest deviation of a tenth, wall", f["cost_flatness_wall"], ""),
        ("largest deviation of a tenth, CPU", f["cost_flatness_cpu"], ""),
    ]
    common.table(f"{args.preset}, through the session, {f['chunks']} chunks", ("", "value", "wanted"), rows)
    common.finish(args, "stream", facts, f)


if __name__ == "__main__":
    main()
