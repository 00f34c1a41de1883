"""No source file lies in the checkout but outside git: such a checkout works where it was made and nowhere else."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {".py", ".ts", ".vue", ".css", ".js", ".json", ".yaml", ".toml", ".md", ".safetensors", ".jpg", ".wav"}
GENERATED = {".venv", "node_modules", "out", "build", "dist", "runs", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


def ignored() -> list[Path]:
    """Files of the checkout that `.gitignore` hides."""
    command = ["git", "ls-files", "--others", "--ignored", "--exclude-standard", "--directory"]
    return [Path(line) for line in subprocess.check_output(command, cwd=ROOT, text=True).splitlines()]


@pytest.mark.skipif(
    not (ROOT / ".git").exists() or not shutil.which("git"), reason="needs the git checkout, this is a plain copy"
)
def test_git_ignores_no_source() -> None:
    hidden = []
    for path in ignored():
        # Generated folders are known at the top level (and caches anywhere); everything else is looked into.
        if path.parts[0] in GENERATED or path.name in {"__pycache__", "node_modules"} or path.suffix == ".egg-info":
            continue
        files = [ROOT / path] if (ROOT / path).is_file() else (ROOT / path).rglob("*")
        hidden += [str(file.relative_to(ROOT)) for file in files if file.suffix in SOURCES]
    assert not hidden, f".gitignore hides sources: {hidden}"
