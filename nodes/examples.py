"""Inputs of the shipped workflows. ComfyUI's loaders look into its input folder only, so copies are put there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ASSETS = Path(__file__).resolve().parent.parent / "echotorrent_core" / "assets"
FILES = {
    "echotorrent_portrait.png": "portraits/ana.png",
    "echotorrent_portrait_2.png": "portraits/ben.png",
    "echotorrent_speech.flac": "speech/introduction.flac",
    "echotorrent_speech_2.flac": "speech/streaming.flac",
}


def offer(folder: Path) -> list[str]:
    """Copy what is not in `folder` yet, and return the names. A folder that cannot be written to stays as it is."""
    copied = []
    for name, source in FILES.items():
        part = folder / f"{name}.part"
        if not (folder / name).exists():
            try:
                shutil.copyfile(ASSETS / source, part)
                os.replace(part, folder / name)
            except OSError:
                break
            copied.append(name)
    return copied
