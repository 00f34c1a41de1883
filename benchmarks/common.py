"""What the benchmarks share: arguments, the hardware's name, tables, the closing line of JSON, pictures and sound.

Run by itself it names the hardware.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from echotorrent_core.errors import InputError
from echotorrent_core.media import read_image, read_sound
from echotorrent_core.stream import Engine
from echotorrent_core.weights.parts import ASSETS
from training.evaluation.heldout import Held as Held
from training.evaluation.heldout import held_out as held_out
from training.evaluation.heldout import to_pixels as to_pixels
from training.evaluation.heldout import to_tensor as to_tensor

RATE = 16000

# Arguments and output


def parser(description: str | None, **defaults: Any) -> argparse.ArgumentParser:
    """The arguments every benchmark has; each uses those that mean something for it."""
    p = argparse.ArgumentParser(description=(description or "").split("\n")[0])
    p.add_argument("--preset", default="embedded")
    p.add_argument("--weights", type=Path, help="folder with the parts of the preset (default: the shipped ones)")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--clips", type=int, help="held-out clips to use")
    p.add_argument("--seconds", type=float, help="length of the (long) video")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--quick", action="store_true", help="smallest run that exercises everything; no figures to quote")
    p.add_argument("--json", type=Path, help="also write the figures to this file")
    p.set_defaults(**defaults)
    return p


def engine(args: argparse.Namespace) -> Engine:
    """The engine of --preset and --weights on --threads threads."""
    torch.set_num_threads(args.threads)
    return Engine.from_preset(args.preset, folder=args.weights)


def hardware(threads: int) -> dict[str, Any]:
    """What the figures were made on. `load` is the machine's before the benchmark: above 0.5 others were at work."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    facts = {"cpu": _cpu_name(), "cores": cores, "threads": threads, "torch": torch.__version__, "load": round(load, 2)}
    if torch.cuda.is_available():
        facts["gpu"] = torch.cuda.get_device_name()
    return facts | {"python": platform.python_version(), "system": platform.system()}


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        found = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        return f"{found['model name']} (family {found['cpu family']}, model {found['model']})"
    except (OSError, KeyError):
        return platform.processor() or platform.machine()


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows of text and numbers in aligned columns."""
    cells = [list(header), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    print(f"\n{title}")
    for number, row in enumerate(cells):
        aligned = [row[0].ljust(widths[0]), *(text.rjust(w) for text, w in zip(row[1:], widths[1:], strict=True))]
        print("  " + "  ".join(aligned))
        if number == 0:
            print("  " + "  ".join("-" * w for w in widths))


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)


def finish(args: argparse.Namespace, name: str, facts: dict[str, Any], figures: dict[str, Any]) -> None:
    """Print the hardware and, as the last line, everything as JSON; write it to --json too."""
    result = {"benchmark": name, "preset": args.preset, "quick": args.quick, "hardware": facts, "figures": figures}
    line = json.dumps(_plain(result), ensure_ascii=False)
    print("\n" + ", ".join(f"{key} {value}" for key, value in facts.items()))
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(line + "\n")
    print(line)


def _plain(value: Any) -> Any:
    """JSON-ready: numpy to Python, five digits, NaN to null."""
    if isinstance(value, dict):
        return {str(key): _plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(v) for v in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


# Pictures and sound


def portrait(config: Any) -> Tensor:
    """A shipped portrait (3, H, W) in [-1, 1] at the preset's size, or a plain one where none is shipped."""
    paths = sorted((ASSETS / "portraits").glob("*.png"))
    return read_image(paths[0], config.size) if paths else torch.zeros(3, *config.size)


def speech(seconds: float, block: int = 640) -> Iterator[np.ndarray]:
    """Blocks (n,) of shipped speech at 16 kHz, repeated to the wanted length. Memory does not grow with it."""
    paths = sorted((ASSETS / "speech").glob("*.flac"))
    if not paths:
        raise InputError(f"{ASSETS / 'speech'}: no shipped speech here; this benchmark needs a full checkout")
    once = np.concatenate([read_sound(path, RATE) for path in paths])
    total = round(seconds * RATE)
    for at in range(0, total, block):
        yield once.take(range(at, min(at + block, total)), mode="wrap")


if __name__ == "__main__":
    arguments = parser(__doc__).parse_args()
    finish(arguments, "hardware", hardware(arguments.threads), {})
