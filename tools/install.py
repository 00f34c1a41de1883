"""Make `.venv` and install EchoTorrent into it. Used by the Makefile; on Windows call it yourself.

    python tools/install.py              what is needed to run
    python tools/install.py dev train    and to test and to train

torch comes first, as the CPU build unless a GPU is there: left to itself, pip on Linux takes the CUDA build, which is
gigabytes. `TORCH="torch==2.13.0 --index-url https://..."` in the environment chooses another one. A torch that is
already in `.venv` stays. Only the standard library is used here, and nothing newer than Python 3.7 understands.
"""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
TORCH = "torch==2.13.0"
TORCH_ANY = "torch>=2.6"  # where the tested release has no build, a newer Python for example
CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def succeeds(*command: str) -> bool:
    try:
        return subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def pip(*arguments: str) -> bool:
    quiet = () if sys.stdout.isatty() else ("--quiet",)  # progress bars for people, short logs for machines
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", *quiet, *arguments]
    return subprocess.call(command, cwd=str(ROOT), stdin=subprocess.DEVNULL) == 0


def make_venv() -> None:
    if sys.version_info < (3, 10):  # noqa: UP036  (this file is read by whatever Python the user has)
        sys.exit(
            f"EchoTorrent needs Python 3.10 or newer and {sys.executable} is {sys.version.split()[0]}: "
            "name another one, as in `make demo PYTHON=python3.12`."
        )
    if succeeds(str(PYTHON), "-m", "pip", "--version"):
        return  # anything less is half a venv from an interrupted run, and is made anew
    if find_spec("ensurepip") is None:
        sys.exit(
            f"{sys.executable} cannot make virtual environments because its `ensurepip` module is missing: install it "
            "(Debian, Ubuntu: `apt install python3-venv`) or name another Python, as in `make demo PYTHON=python3.12`."
        )
    print(f"[1/3] virtual environment in {VENV}", flush=True)
    if subprocess.call([sys.executable, "-m", "venv", "--clear", str(VENV)]) != 0:
        sys.exit(f"The virtual environment {VENV} could not be made; the reason is printed above.")


def torch_requirements() -> list[list[str]]:
    """What to try, in this order. PyPI's torch is a CPU build already everywhere but on Linux."""
    if os.environ.get("TORCH"):
        return [os.environ["TORCH"].split()]
    extra = []
    if sys.platform.startswith("linux") and not succeeds("nvidia-smi", "-L"):
        try:
            urllib.request.urlopen(f"{CPU_INDEX}/torch/", timeout=5).close()
            extra = ["--extra-index-url", CPU_INDEX]  # its `2.13.0+cpu` is preferred to PyPI's `2.13.0`
        except OSError:
            pass  # not reachable from here: whatever the configured index offers
    return [[TORCH, *extra], [TORCH_ANY, *extra]]


def main(extras: list[str]) -> None:
    make_venv()
    if not succeeds(str(PYTHON), "-c", "from importlib.metadata import version; version('torch')"):
        print("[2/3] torch, the longest part", flush=True)
        if not any(pip(*requirement) for requirement in torch_requirements()):
            sys.exit("torch could not be installed; pip's reason is printed above.")
    print("[3/3] EchoTorrent" + (f" with {', '.join(extras)}" if extras else ""), flush=True)
    if not pip("--editable", f".[{','.join(extras)}]" if extras else "."):
        sys.exit("EchoTorrent could not be installed; pip's reason is printed above.")
    for stamp in {"run", *extras}:
        (VENV / f".installed-{stamp}").touch()


if __name__ == "__main__":
    main(sys.argv[1:])
