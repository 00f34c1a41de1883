"""Renders the demo portraits of the package: held-out people, mouth at rest.

python -m training.corpus.demo_assets
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

import echotorrent_core

from .controls import Controls
from .identity import identity_seed, make_identity
from .render import render_frame

PEOPLE = {"ana": 6, "ben": 3, "chi": 22, "dina": 1, "eli": 24, "fay": 29}  # held-out numbers, chosen for variety
SIZE = 512


def portrait(number: int, size: int = SIZE) -> np.ndarray:
    """The neutral portrait (size, size, 3) uint8 of a held-out person."""
    return render_frame(make_identity(identity_seed(number, "heldout")), Controls(), size).image


def write_portraits(folder: str | Path) -> list[Path]:
    """Write one PNG per person and return the paths."""
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, number in PEOPLE.items():
        path = root / f"{name}.png"
        Image.fromarray(portrait(number)).save(path, optimize=True)
        paths.append(path)
    return paths


def main() -> None:
    default = Path(echotorrent_core.__file__).parent / "assets" / "portraits"
    parser = argparse.ArgumentParser(
        prog="python -m training.corpus.demo_assets", description="Render the demo portraits."
    )
    parser.add_argument("--out", type=Path, default=default)
    for path in write_portraits(parser.parse_args().out):
        print(f"{path.name}: {path.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
