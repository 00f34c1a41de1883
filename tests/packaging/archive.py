"""The archive that the registry gets, made as its tool makes it: the repository's files without those of .comfyignore.

The tool itself takes tracked files only; here files that are not committed yet count too, so that a change is tested
before it is. `test_registry_tool.py` compares the two.
"""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def listed(*options: str) -> set[str]:
    """`git ls-files` with these options; paths below the root. OSError or CalledProcessError without git."""
    command = ["git", "ls-files", "-z", *options]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    return {name for name in found if name and (ROOT / name).is_file()}


def repository() -> set[str]:
    """Files that are tracked, or new and not ignored."""
    return listed("--cached", "--others", "--exclude-standard")


def members() -> list[str]:
    """Of the archive. git reads .comfyignore as it would a .gitignore."""
    left_out = ["--ignored", "--exclude-from=.comfyignore"]
    return sorted(repository() - listed("--cached", *left_out) - listed("--others", *left_out))


def build(path: Path) -> None:
    """Write the archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in members():
            archive.write(ROOT / name, name)


def install(folder: Path) -> Path:
    """Build it and unpack it into a new `folder`, as ComfyUI-Manager would."""
    build(folder.parent / "node.zip")
    with zipfile.ZipFile(folder.parent / "node.zip") as archive:
        archive.extractall(folder)
    return folder
