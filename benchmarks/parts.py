"""Where does the time of a chunk go, and how near is the trunk to what these cores can do?

    python benchmarks/parts.py

Runs a stream through the session with a stopwatch around each part. The trunk's arithmetic is then compared with bare
matrix products of the same shapes, as often as the trunk calls them.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

import common
import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from echotorrent_core.run_folder import RunFolder
from echotorrent_core.session import Session
from echotorrent_core.stream import StreamState
from echotorrent_core.threads import compute_thread, in_thread

WARM_UP = 2  # chunks that are not counted
aten = torch.ops.aten


def now() -> np.ndarray:
    """Wall clock and this process's CPU time, all threads together, in seconds (2,)."""
    return np.array([time.perf_counter(), time.process_time()])


class Stopwatch:
    """Wall and CPU seconds (2,) per named part. A part inside another one counts for itself only."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, np.ndarray] = defaultdict(lambda: np.zeros(2))
        self.inner = [np.zeros(2)]

    def around(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            self.inner.append(np.zeros(2))
            begun = now()
            try:
                return function(*args, **kwargs)
            finally:
                total = now() - begun
                self.seconds[name] = self.seconds[name] + total - self.inner.pop()
                self.inner[-1] += total

        return timed


class Products(TorchDispatchMode):
    """Counts the matrix products that run inside, by (batch, rows, inner, columns)."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: Counter[tuple[int, int, int, int]] = Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        overload = function.overloadpacket
        if overload in (aten.mm, aten.addmm):
            a, b = args[:2] if overload is aten.mm else args[1:3]
            self.shapes[1, a.shape[0], a.shape[1], b.shape[1]] += 1
        elif overload in (aten.bmm, aten.baddbmm):
            a, b = args[:2] if overload is aten.bmm else args[1:3]
            self.shapes[a.shape[0], a.shape[1], a.shape[2], b.shape[2]] += 1
        elif "attention" in str(overload) and len(args) >= 3:
            q, k, v = (t.flatten(0, -3) for t in args[:3])
            self.shapes[q.shape[0], q.shape[1], q.shape[2], k.shape[1]] += 1
            self.shapes[q.shape[0], q.shape[1], k.shape[1], v.shape[2]] += 1
        return function(*args, **(kwargs or {}))


def best(function: Callable[[], Any], least: float = 0.05, repeats: int = 5) -> float:
    """Seconds of one call: the best of some rounds, each long enough for the clock."""
    function()
    begun = time.perf_counter()
    function()
    number = max(1, round(least / repeats / max(time.perf_counter() - begun, 1e-7)))
    rounds = []
    for _ in range(repeats):
        begun = time.perf_counter()
        for _ in range(number):
            function()
        rounds.append((time.perf_counter() - begun) / number)
    return min(rounds)


def product_seconds(shape: tuple[int, int, int, int]) -> float:
    """Seconds of one bare product of this shape into memory that is there already."""
    batch, rows, inner, columns = shape
    a, b, out = torch.randn(batch, rows, inner), torch.randn(batch, inner, columns), torch.empty(batch, rows, columns)
    if batch == 1:
        return best(lambda: torch.mm(a[0], b[0], out=out[0]))
    return best(lambda: torch.bmm(a, b, out=out))


def watch(engine: Any, session: Session, clock: Stopwatch, calls: list[tuple[Any, ...]]) -> None:
    """Put the stopwatch around the parts of a session. The arguments of the last trunk pass stay in `calls`."""
    forward = engine.trunk.forward

    def trunk(*args: Any, **named: Any) -> Any:
        calls[:] = [signature(forward).bind(*args, **named).args]
        return forward(*args, **named)

    engine.trunk.forward = clock.around("trunk", trunk)
    engine.trunk.embed_text = clock.around("trunk", engine.trunk.embed_text)
    engine.trunk.audio_proj.forward = clock.around("trunk", engine.trunk.audio_proj.forward)
    engine.vae.decode = clock.around("vae", engine.vae.decode)
    engine.audio.features = clock.around("audio", engine.audio.features)
    engine.step = clock.around("engine, rest", engine.step)
    session._encoder.chunk = clock.around("encode", session._encoder.chunk)  # type: ignore[method-assign]
    session.run.commit = clock.around("commit", session.run.commit)  # type: ignore[method-assign]


def run_session(
    engine: Any, args: Any, seconds: float
) -> tuple[list[np.ndarray], list[dict[str, np.ndarray]], tuple[Any, ...]]:
    """A watched stream: the time when each chunk was done, the parts' totals then, and the last trunk pass."""
    clock, calls, done, marks = Stopwatch(), [], [], []  # type: ignore[var-annotated]

    def on_chunk(event: dict[str, Any]) -> None:
        done.append(now())
        marks.append(dict(clock.seconds))

    conditioning = engine.condition(common.portrait(engine.config))
    save = StreamState.save
    with tempfile.TemporaryDirectory() as folder:
        info = {"preset": engine.config.name, "fingerprint": engine.fingerprint, "seed": args.seed}
        with RunFolder.create(Path(folder) / "run", info) as run:
            session = Session(engine, conditioning, run, args.seed, on_chunk=on_chunk)
            watch(engine, session, clock, calls)
            StreamState.save = clock.around("state", save)  # type: ignore[method-assign]
            try:
                with session:
                    for block in common.speech(seconds):
                        session.push(block)
                    session.end()
                    session.wait()
            finally:
                StreamState.save = save  # type: ignore[method-assign]
    return done, marks, calls[0]


def attention_flops(query: Any, key: Any, value: Any, *args: Any, **kwargs: Any) -> int:
    """The counter knows the attention kernels of GPUs only. Arguments are shapes."""
    return sdpa_flop_count(query, key, value)


def trunk_figures(engine: Any, call: tuple[Any, ...]) -> dict[str, Any]:
    """Arithmetic speed of one trunk pass and of its matrix products alone, in a thread that works as a session's."""
    compute_thread()
    forward = type(engine.trunk).forward.__get__(engine.trunk)  # without the stopwatch
    with torch.inference_mode(False), torch.no_grad():
        call = tuple(t.clone() if isinstance(t, torch.Tensor) else t for t in call)
    uncounted = {aten._scaled_dot_product_flash_attention_for_cpu: attention_flops}
    with torch.no_grad(), FlopCounterMode(display=False, custom_mapping=uncounted) as counter:
        forward(*call)
    with torch.no_grad(), Products() as products:
        forward(*call)
    with torch.inference_mode():
        seconds = best(lambda: forward(*call), least=1.0)
        bare = {shape: product_seconds(shape) for shape in products.shapes}
    product_flops = sum(2 * float(np.prod(shape)) * n for shape, n in products.shapes.items())
    product_time = sum(bare[shape] * n for shape, n in products.shapes.items())
    largest = max(products.shapes, key=lambda shape: np.prod(shape) * products.shapes[shape])
    return {
        "gflop_per_pass": counter.get_total_flops() / 1e9,
        "counted_in_products": product_flops / counter.get_total_flops(),
        "pass_s": seconds,
        "gflop_per_s": counter.get_total_flops() / seconds / 1e9,
        "bare_products_gflop_per_s": product_flops / product_time / 1e9,
        "share_of_bare_products": product_time / seconds,
        "largest_product": list(largest),
        "largest_product_gflop_per_s": 2 * float(np.prod(largest)) / bare[largest] / 1e9,
        "products_per_pass": sum(products.shapes.values()),
    }


def main() -> None:
    args = common.parser(__doc__).parse_args()
    facts = common.hardware(args.threads)
    engine = common.engine(args)
    seconds = args.seconds or (4.0 if args.quick else 25.0)
    done, marks, call = run_session(engine, args, seconds)
    first, last = WARM_UP - 1, len(done) - 2  # the last chunk may be cut
    chunks, whole = last - first, (done[last] - done[first]) / (last - first)
    parts = {name: (marks[last][name] - marks[first].get(name, np.zeros(2))) / chunks for name in marks[last]}
    parts["rest of the session"] = whole - sum(parts.values())
    share = {name: float(s[0] / whole[0]) for name, s in parts.items()}
    trunk = in_thread(lambda: trunk_figures(engine, call))

    video = engine.frames_in_chunk(1) / engine.config.stream.fps
    ordered = sorted(parts, key=lambda name: -parts[name][0])
    rows = [(name, *(1000 * parts[name]).tolist(), 100 * share[name]) for name in ordered]
    rows.append(("one chunk", *(1000 * whole).tolist(), 100.0))
    title = f"{args.preset}: {chunks} chunks of {video:g} s; CPU time counts all threads"
    common.table(title, ("part", "ms per chunk", "CPU ms", "% of wall"), rows)
    facts_trunk = [
        ("trunk passes per chunk", len(engine.config.stream.sigmas) + int(engine.writes.extra_pass)),
        ("GFLOP per pass", trunk["gflop_per_pass"]),
        ("trunk, GFLOP/s", trunk["gflop_per_s"]),
        ("its matrix products alone, GFLOP/s", trunk["bare_products_gflop_per_s"]),
        ("they are this share of a pass", trunk["share_of_bare_products"]),
        (f"largest product {trunk['largest_product']}, GFLOP/s", trunk["largest_product_gflop_per_s"]),
    ]
    common.table("the trunk against matrix products of the same shapes on the same cores", ("", "value"), facts_trunk)
    common.finish(
        args,
        "parts",
        facts,
        {
            "chunks": chunks,
            "chunk_wall_and_cpu_s": whole,
            "parts_wall_and_cpu_s": parts,
            "share": share,
            "trunk": trunk,
        },
    )


if __name__ == "__main__":
    main()
