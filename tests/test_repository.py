"""What keeps the repository true for a newcomer: its files, its commands, its imports."""

import ast
import functools
import re
import shlex
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import av
import numpy as np
import pytest

from echotorrent_core import cli

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # comes with pytest there

ROOT = Path(__file__).resolve().parent.parent
MAX_LINES = 500
LONGER: set[str] = set()  # Python files allowed beyond it, each with its reason
WEIGHT_BYTES = 30_000_000
PAGES = ("README.md", "CONTRIBUTING.md")
COMMANDS = ("demo", "test", "lint", "bench", "clean")


@functools.cache
def files() -> tuple[Path, ...]:
    """All files of the repository: tracked ones and those not committed yet. Without git, an unpacked archive's."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
        found = [ROOT / name for name in names if name]
    except (OSError, subprocess.CalledProcessError):
        found = [path for path in ROOT.rglob("*") if not {".venv", "out", "runs", "__pycache__"} & set(path.parts)]
    return tuple(path for path in found if path.is_file())


def sources(folder: str = "") -> list[Path]:
    return [path for path in files() if path.suffix == ".py" and (ROOT / folder) in path.parents]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_machine_paths():
    """A path of one person's or one machine's disk is wrong everywhere else."""
    machine = re.compile(rb"(?<![\w.<$}~-])(/work/|/root/|/home/\w|/Users/\w|/mnt/\w|[A-Z]:\\Users\\)")
    hits = []
    for path in files():
        data = path.read_bytes()
        if b"\0" not in data and path != Path(__file__).resolve():
            hits += [f"{path.relative_to(ROOT)}: {match[0].decode()}" for match in machine.finditer(data)]
    assert not hits


def test_sources_are_short():
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources()}
    assert not {name: count for name, count in lines.items() if count > MAX_LINES and name not in LONGER}


def test_nothing_imports_upwards():
    """The core knows neither the nodes nor the training, and nobody reaches for ComfyUI but the nodes."""
    upwards = re.compile(
        r"^\s*(?:from|import) (?:training|nodes|benchmarks|comfy\w*|folder_paths|server)\b", re.MULTILINE
    )
    assert not [path for path in sources("echotorrent_core") if upwards.search(path.read_text())]
    absolute = re.compile(r"^\s*(?:from|import) echotorrent_core\b", re.MULTILINE)
    assert not [path for path in sources("echotorrent_core") if absolute.search(path.read_text())]


def imported(path: Path) -> set[str]:
    """Top-level names of all absolute imports of a file, also those inside functions."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level]
    return {name.split(".")[0] for name in names}


def called(text: str) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)}


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("echotorrent_core", ["xformers", "peers"]),
        ("training", ["train", "faces", "lpips"]),
        ("benchmarks", ["train", "dev"]),
        ("tests", None),
    ],
)
def test_imports_are_declared(folder, extras):
    """What a folder imports, pyproject.toml installs: of a fresh machine nothing more may be expected."""
    groups = project()["optional-dependencies"]
    lines = [line for name in (groups if extras is None else extras) for line in groups[name]]
    declared = {re.split(r"[^\w.-]", line)[0].lower() for line in lines + project()["dependencies"]} | {"tomli"}
    own = {path.stem for path in sources()} | {path.parent.name for path in sources()}
    distributions = packages_distributions()
    missing = {}
    for path in sources(folder):
        for name in imported(path) - sys.stdlib_module_names - own:
            if not declared & {dist.lower() for dist in distributions.get(name, [name])}:
                missing.setdefault(name, []).append(path.name)
    assert not missing


def test_benchmarks_write_json():
    """`common.parser` offers --json, `common.finish` writes it."""
    scripts = {path.name: path.read_text() for path in sources("benchmarks") if path.name != "common.py"}
    assert not [name for name, text in scripts.items() if not {"common.parser", "common.finish"} <= called(text)]


def test_weights_are_small():
    assert sum(path.stat().st_size for path in files() if path.suffix == ".safetensors") <= WEIGHT_BYTES


def test_files_are_small():
    assert not [path for path in files() if path.suffix != ".safetensors" and path.stat().st_size > 5_000_000]


@pytest.mark.parametrize("module", ["echotorrent_core", "echotorrent_core.cli"])
def test_core_imports_without_torch(module):
    run_python(f"import sys, {module}; assert not {{'torch', 'numpy', 'av'}} & set(sys.modules)")


def test_entry_imports_alone_and_fast():
    """As ComfyUI loads it: by path, under a name of its own."""
    seconds = run_python(
        "import importlib.util as u, sys, time\n"
        "spec = u.spec_from_file_location('custom', '__init__.py', submodule_search_locations=['.'])\n"
        "start = time.perf_counter()\n"
        "module = u.module_from_spec(spec)\n"
        "sys.modules['custom'] = module\n"
        "spec.loader.exec_module(module)\n"
        "print(time.perf_counter() - start)\n"
        "assert not {'torch', 'numpy', 'echotorrent_core'} & set(sys.modules)\n"
    )
    assert float(seconds) < 0.3


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_the_pages_exist(page):
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / page).read_text(), re.MULTILINE))
    assert named <= targets()
    assert set(COMMANDS) <= targets()


def test_options_of_the_readme_exist():
    """Every `echotorrent ...` line in a code block is one that the command line understands."""
    blocks = re.findall(r"^```(?:bash|bat)\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    calls = [re.search(r"\bechotorrent (generate|play|info)\b.*", line) for line in lines]
    found = [re.split(r" [|>] ", call[0])[0] for call in calls if call]
    assert found
    for call in found:
        cli._parser().parse_args(shlex.split(call, comments=True)[1:])  # SystemExit names what it does not know


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)\)|src=\"([^\":]+)\"", (ROOT / page).read_text())
    assert not [link for pair in links for link in pair if link and not (ROOT / link).exists()]


def test_requirements_follow_the_project():
    """ComfyUI's file is the project's list without what ComfyUI brings in a build of its own, and of what training
    needs the part that ComfyUI lacks."""
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] != "#"]
    wanted = {line for line in project()["dependencies"] if not line.startswith(("torch", "numpy"))}
    training = project()["optional-dependencies"]["train"]
    assert set(lines) == wanted | {line for line in training if line.startswith(("accelerate", "peft"))}


def test_speeches_are_speech():
    """The demo speeches are what their README says: 8 to 14 s, 16 kHz, mono, small, neither silent nor clipped."""
    speeches = [path for path in files() if "assets/speech" in path.as_posix() and path.suffix in (".flac", ".wav")]
    assert len(speeches) >= 3
    table = (ROOT / "echotorrent_core/assets/speech/README.md").read_text()
    for path in speeches:
        assert path.name in table and path.stat().st_size < 400_000
        with av.open(str(path)) as container:
            stream = container.streams.audio[0]
            assert (stream.rate, stream.channels) == (16000, 1)
            samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(stream)]) / 32768
        assert 8 <= len(samples) / 16000 <= 14
        assert 0.3 < np.abs(samples).max() < 0.99
