"""Where training keeps what it makes."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Corpora, features and runs: $ECHOTORRENT_CACHE, by default ~/.cache/echotorrent."""
    return Path(os.environ.get("ECHOTORRENT_CACHE") or "~/.cache/echotorrent").expanduser()
