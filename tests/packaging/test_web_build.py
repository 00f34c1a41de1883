"""web/dist is committed, since users do not build: it must be what web/src makes. `make web` builds it."""

import shutil
import subprocess

import pytest

from tests.packaging import archive

pytestmark = pytest.mark.slow
WEB = archive.ROOT / "web"


@pytest.fixture(scope="module")
def npm():
    """Runs npm in web/, with its packages installed; skips where that cannot be."""
    program, node = shutil.which("npm"), shutil.which("node")
    if program is None or node is None:
        pytest.skip("npm is not installed, so the panel cannot be built here")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if tuple(map(int, version.lstrip("v").split(".")[:2])) < (20, 19):
        pytest.skip(f"node {version} is too old for the panel's tools, which need 20.19")

    def run(*words):
        return subprocess.run([program, *words], cwd=WEB, capture_output=True, text=True)

    installed, wanted = WEB / "node_modules" / ".package-lock.json", WEB / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        done = run("ci", "--no-audit", "--no-fund")
        if done.returncode:
            pytest.skip(f"the panel's tools cannot be installed: {(done.stderr.strip() or '-').splitlines()[0]}")
    return run


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_committed_build_is_that_of_the_sources(npm, tmp_path):
    done = npm("run", "build", "--", "--outDir", str(tmp_path / "dist"), "--emptyOutDir")
    assert done.returncode == 0, done.stdout + done.stderr
    fresh, committed = contents(tmp_path / "dist"), contents(WEB / "dist")
    assert set(fresh) == set(committed)
    assert not [name for name in fresh if fresh[name] != committed[name]], "web/dist is old: run `make web`"


def test_unit_tests_of_the_panel(npm):
    done = npm("test")
    assert done.returncode == 0, done.stdout + done.stderr
