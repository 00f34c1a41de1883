"""What it costs a chunk to be made in another thread than the one that loaded the engine, or beside a program that
wants one of the cores, and what `threads` saves.

    python benchmarks/threads.py

Each way runs in a process of its own, all of them in turns. A ratio is the median over the rounds.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from typing import Any

import common
import numpy as np
import torch

from echotorrent_core import threads
from echotorrent_core.metrics.timing import paired_ratio
from echotorrent_core.threads import Waiting, compute_thread, in_thread, release_workers

SAME, OTHER, RELEASED, SESSION = (
    "the loading thread",
    "another thread",
    "another thread, workers released",
    "the same, denormals flushed (a session)",
)
DISTURBED, ADAPTED = "a session beside a busy program", "the same, workers asleep meanwhile"
WAYS = (SAME, OTHER, RELEASED, SESSION, DISTURBED, ADAPTED)
WARM_UP = 3


def chunk_times(
    engine: Any, conditioning: Any, seconds: float, waiting: Waiting | None = None
) -> list[tuple[float, float]]:
    """Wall and CPU seconds of each chunk."""
    sound = torch.from_numpy(np.concatenate(list(common.speech(seconds))))
    state, times = engine.start(conditioning, 0), []
    while len(sound) >= (need := engine.samples_needed(state)):
        begun = time.perf_counter(), time.process_time()
        state, _ = engine.step(state, sound[:need], on_step=lambda _: waiting.adapt() if waiting else None)
        times.append((time.perf_counter() - begun[0], time.process_time() - begun[1]))
        sound = sound[need:]
    return times


def one_way(args: Any, way: str, seconds: float) -> list[float]:
    """Median wall and CPU seconds of a chunk, made in this process."""
    engine = common.engine(args)
    conditioning = engine.condition(common.portrait(engine.config))

    def work() -> list[tuple[float, float]]:
        if way in (SAME, OTHER, RELEASED):
            return chunk_times(engine, conditioning, seconds)
        compute_thread()
        with closing(Waiting()) as waiting:
            return chunk_times(engine, conditioning, seconds, waiting if way == ADAPTED else None)

    if way not in (SAME, OTHER):
        release_workers()
    with busy_program() if way in (DISTURBED, ADAPTED) else nullcontext():
        times = work() if way == SAME else in_thread(work)
    return np.median(times[WARM_UP:], axis=0).tolist()


@contextmanager
def busy_program() -> Iterator[None]:
    """One that computes without end, on one core."""
    program = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        program.kill()
        program.wait()


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--rounds", type=int, help="times each way runs (default 5, quick 1)")
    parser.add_argument("--way", choices=WAYS, help="run one way here and print its times")
    args = parser.parse_args()
    seconds = args.seconds or (4.0 if args.quick else 15.0)
    if args.way:
        print(json.dumps(one_way(args, args.way, seconds)))
        return
    facts = common.hardware(args.threads) | {"openmp": "GNU" if threads._openmp() else "another"}
    rounds = args.rounds or (1 if args.quick else 5)
    command = [sys.executable, __file__, "--preset", args.preset, "--threads", str(args.threads)]
    command += ["--seconds", str(seconds), *(["--weights", str(args.weights)] if args.weights else [])]
    costs: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            done = subprocess.run([*command, "--way", way], stdout=subprocess.PIPE, check=True)
            costs[way].append(json.loads(done.stdout))
    medians = {way: np.median(costs[way], axis=0).tolist() for way in WAYS}
    ratios = {way: paired_ratio(np.array(costs[way]), np.array(costs[OTHER])) for way in WAYS}
    rows = [(way, *medians[way], "{:.3f} [{:.3f}, {:.3f}]".format(*ratios[way][0])) for way in WAYS]
    common.table(f"a chunk made in, {rounds} rounds", ("", "s", "CPU s", f"x of '{OTHER}'"), rows)
    figures = {way: {"wall_and_cpu_s": medians[way], "wall_and_cpu_ratio": ratios[way]} for way in WAYS}
    common.finish(args, "threads", facts, {"rounds": rounds, "against": OTHER, "ways": figures})


if __name__ == "__main__":
    main()
