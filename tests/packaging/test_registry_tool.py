"""The registry's own tool on a copy of the repository. It gets an environment of its own, made once (340 MB)."""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.packaging import archive

pytestmark = pytest.mark.slow
TOOL = "comfy-cli==1.23.0"
VENV = Path.home() / ".cache" / "echotorrent" / "comfy-cli"


@pytest.fixture(scope="module")
def comfy():
    """Runs the tool in a folder and returns what it says; AssertionError with that when it fails."""
    program, stamp = VENV / "bin" / "comfy", VENV / "requirement"
    if not stamp.exists() or stamp.read_text() != TOOL:
        commands = [[sys.executable, "-m", "venv", "--clear", str(VENV)]]
        commands += [[str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", TOOL]]
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                pytest.skip(
                    f"{TOOL} cannot be installed: {(done.stderr.strip() or 'no reason given').splitlines()[-1]}"
                )
        stamp.write_text(TOOL)

    def run(folder, *words):
        command = [str(program), "--skip-prompt", "--no-enable-telemetry", *words]
        # its settings go below HOME, which is not the user's here
        environment = {"HOME": str(folder.parent), "PATH": f"{VENV / 'bin'}:/usr/bin:/bin", "COLUMNS": "200"}
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The repository's files, all of them tracked."""
    folder = tmp_path_factory.mktemp("tool") / "echotorrent"
    try:
        names = archive.repository()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"the archive is made from git's list of files: {error}")
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(archive.ROOT / name, folder / name)
    for command in (["git", "init", "--quiet"], ["git", "add", "--all"]):
        subprocess.run(command, cwd=folder, check=True)
    return folder


def test_validation_is_clean(comfy, copy):
    told = comfy(copy, "node", "validate").lower()
    assert "warning" not in told and "error" not in told, told


def test_its_archive_is_ours(comfy, copy, tmp_path):
    comfy(copy, "node", "pack")
    (found,) = copy.glob("*.zip")
    archive.build(tmp_path / "node.zip")
    assert contents(found) == contents(tmp_path / "node.zip")


def contents(path):
    with zipfile.ZipFile(path) as file:
        return {name: hashlib.sha256(file.read(name)).hexdigest() for name in file.namelist() if name[-1] != "/"}
