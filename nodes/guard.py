"""What comes from outside: names that become paths, ids, pages of other sites. Used by every route and text widget."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from ..echotorrent_core.errors import InputError

RUN_ID = re.compile(r"[0-9a-f]{16}")
_NAME = re.compile(r"[^\W_](?:[\w .-]{0,62}[\w-])?")  # neither hidden nor ending as Windows does not allow
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)  # Windows opens these in any folder


def run_id(text: str) -> str:
    """`text` as the id of a run: 16 hexadecimal digits."""
    if not RUN_ID.fullmatch(text):
        raise InputError(
            f"{_quoted(text)} is not the id of a run; ids have 16 digits from 0-9 and a-f, as in the run list"
        )
    return text


def file_name(text: str) -> str:
    """`text` as the name of one file or folder, without an ending."""
    text = text.strip()
    if not _NAME.fullmatch(text) or _DEVICES.fullmatch(text):
        raise InputError(
            f"{_quoted(text)} cannot name a file; begin with a letter or digit, and use letters, digits, spaces, '-', "
            "'_' and '.' only, 64 at most"
        )
    return text


def inside(root: Path, name: str) -> Path:
    """The path of `name` below the folder `root`, links resolved. InputError if it would lie anywhere else."""
    parts = name.split("/")
    ordinary = all(part and part not in (".", "..") and not _DEVICES.fullmatch(part) for part in parts)
    if not ordinary or not name.isprintable() or set(name) & set('\\:*?"<>|') or len(os.fsencode(name)) > 1024:
        raise InputError(
            f"{_quoted(name)} is not a path below '{root.name}'; give one without '..' and special characters"
        )
    root = root.resolve()
    try:
        path = (root / name).resolve()
    except (OSError, RuntimeError):  # a name too long for the file system, or links that lead in a circle
        path = root.parent
    if path == root or not path.is_relative_to(root):
        raise InputError(f"{_quoted(name)} leads out of '{root.name}'; give a path below it")
    return path


def seen(folders: Mapping[str, Path], text: object) -> Path:
    """The file or folder that `text` names, such as input/talk.mp4: the first part is one of `folders`. InputError for
    all outside of them, and for what is not there."""
    first, _, rest = text.partition("/") if isinstance(text, str) else ("", "", "")
    if first not in folders or not rest:
        raise InputError(
            f"{_quoted(str(text))} is not a path below {' or '.join(folders)}; give one such as input/talk.mp4"
        )
    path = inside(folders[first], rest)
    if not path.exists():
        raise InputError(f"{_quoted(str(text))} is not there; put it into ComfyUI's folder '{first}'")
    return path


def within(folders: Mapping[str, Path], text: str) -> Path:
    """As `seen`, and also a whole path that lies in one of the folders already."""
    if Path(text).is_absolute() and text.isprintable():
        path = Path(text).resolve()
        if any(path.is_relative_to(folder.resolve()) for folder in folders.values()) and path.exists():
            return path
    return seen(folders, text)


def foreign(origin: str | None, host: str) -> bool:
    """Whether a request comes from a page of another site. Browsers name it; programs send no Origin."""
    if not origin:
        return False
    try:
        page, own = urlsplit(origin), urlsplit(f"//{host}")
        standard = {"http": 80, "https": 443}.get(page.scheme)
        # Behind a proxy that ends TLS, the host's own port is the scheme's of the page.
        return page.hostname != own.hostname or (page.port or standard) != (own.port or standard)
    except ValueError:
        return True


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")
