"""What users get from the registry is tested here, not the checkout: contents, imports, start, patterns of scanners."""

import ast
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.packaging import archive

FOLDERS = {"echotorrent_core", "locales", "nodes", "training", "web", "workflows"}
FILES = {"LICENSE", "README.md", "__init__.py", "pyproject.toml", "requirements.txt"}
MEGABYTES = 35  # of which the weights are 25
# What registries look for, in any file; a hit holds a release back, so there is none.
PATTERNS = {
    "evaluates text": r"(?<![.\w])(?:eval|exec)\(",
    "starts processes": r"\bsubprocess\b|\bPopen\b|\bos\.(?:system|popen|exec\w*|spawn\w*)\b",
    "reads the environment": r"\benviron\b|\bgetenv\b|process\.env",
    "opens connections": r"\bimport socket\b|\bsocket\.|\.connect\(|\.send\(|\burlopen\b|\bhttp\.server\b|\brequests\.",
    "hides what it does": r"\b__import__\b|\bmarshal\b|\bb64decode\(.*\bexec\b",
    "leads somewhere local": r"/home/\w|/Users/\w|C:\\\\Users",
}
# Hits that are there for a reason. A job must outlive the server, so it cannot be a thread of it.
STARTS, READS = "starts processes", "reads the environment"
ALLOWED = {
    "training/heap.py": {READS},  # whether somebody has told the C library how to keep memory
    "training/jobs/process.py": {STARTS, READS},  # a job's worker, which sees of CUDA only the device of its job
    "training/jobs/store.py": {"opens connections"},  # to the file with the list of jobs, by SQLite
    "training/paths.py": {READS},  # where the shell's jobs lie
    "training/sharding.py": {READS},  # accelerate says there how a run is sharded
    "web/dist/echotorrent.js": {"opens connections"},  # an upload's progress, and nodes of the graph
}


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    """The unpacked archive, in a folder of a name that nobody chose well."""
    try:
        return archive.install(tmp_path_factory.mktemp("custom nodes") / "Größe 1")
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"the archive is made from git's list of files: {error}")


@pytest.fixture(scope="module")
def names(pack):
    return {path.relative_to(pack).as_posix() for path in pack.rglob("*") if path.is_file()}


def test_nothing_but_the_pack_is_inside(names):
    assert {name.split("/")[0] for name in names if "/" in name} == FOLDERS
    assert {name for name in names if "/" not in name} == FILES
    assert not [name for name in names if name.startswith("web/") and not name.startswith("web/dist/")]
    assert not [name for name in names if Path(name).suffix in (".ts", ".vue", ".map", ".ipynb", ".sh", ".log", ".pyc")]
    assert [name for name in names if name.endswith(".js")] == ["web/dist/echotorrent.js"]  # ComfyUI runs every one


def test_what_the_pack_needs_is_inside(pack, names):
    ids = json.loads((archive.ROOT / "tests" / "nodes" / "schema.json").read_text())
    needed = {"web/dist/echotorrent.js", *(f"web/dist/docs/{key}/en.md" for key in ids)}
    needed |= {f"locales/en/{part}.json" for part in ("main", "nodeDefs", "commands", "settings")}
    parts = ("audio", "text", "trunk", "vae")
    needed |= {f"echotorrent_core/assets/embedded/{part}.safetensors" for part in parts}
    needed |= {f"echotorrent_core/assets/{kind}" for kind in example_sources(pack)}
    for path in (archive.ROOT / "workflows").glob("*.json"):
        needed |= {f"workflows/{path.stem}.jpg", f"workflows/{path.name}", f"workflows/api/{path.name}"}
    for folder in ("nodes", "training/jobs"):
        needed |= {path.relative_to(archive.ROOT).as_posix() for path in (archive.ROOT / folder).glob("*.py")}
    needed.add("nodes/openapi.json")
    assert needed <= names


def example_sources(pack):
    """Files that the pack's start-up puts into ComfyUI's input folder."""
    tree = ast.parse((pack / "nodes" / "examples.py").read_text())
    (files,) = (
        ast.literal_eval(statement.value)
        for statement in tree.body
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "FILES"
    )
    return files.values()


def test_it_is_small(pack):
    with zipfile.ZipFile(pack.parent / "node.zip") as file:
        assert sum(entry.compress_size for entry in file.infolist()) < MEGABYTES * 1_000_000


def test_imports_lead_to_files_of_the_archive(pack, names):
    """Those inside functions too: they would fail long after the installation."""
    missing = []
    for name in sorted(name for name in names if name.endswith(".py")):
        for node in ast.walk(ast.parse((pack / name).read_text())):
            if isinstance(node, ast.ImportFrom) and node.level:
                folder = Path(name).parents[node.level - 1]
                module = folder.joinpath(*(node.module or "").split("."))
                found = module_files(module) & names
                if not found:
                    missing.append(f"{name}: {module}")
                elif found == {(module / "__init__.py").as_posix()}:
                    missing += [
                        f"{name}: {module}.{alias.name}"
                        for alias in node.names
                        if not module_files(module / alias.name) & names and not defines(pack, module, alias.name)
                    ]
            elif isinstance(node, ast.Import | ast.ImportFrom):
                tops = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
                own = {"training", "tests", "benchmarks", "tools", "nodes", "echotorrent_core"}
                wrong = [top for top in tops if top.split(".")[0] in own and not in_trainer(name, top, names)]
                missing += [f"{name}: {top}" for top in wrong]
    assert not missing


def in_trainer(name, module, names):
    """The trainer runs in processes of its own, where the pack's folder comes first on the path (jobs/start.py)."""
    found = module_files(Path(*module.split("."))) & names
    return name.startswith("training/") and bool(found) and module.split(".")[0] in ("training", "echotorrent_core")


def module_files(module):
    return {module.with_suffix(".py").as_posix(), (module / "__init__.py").as_posix()}


def defines(pack, module, name):
    """Whether a package's __init__.py has a name of its own."""
    tree = ast.parse((pack / module / "__init__.py").read_text())
    bound = {alias.asname or alias.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for alias in n.names}
    bound |= {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    return name in bound | {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}


START = """
import importlib.util, sys, time
where = sys.argv[1]
options = {"submodule_search_locations": [where]}
spec = importlib.util.spec_from_file_location("pack", where + "/__init__.py", **options)
begun = time.perf_counter()
sys.modules["pack"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(time.perf_counter() - begun)
assert not {"torch", "numpy", "av"} & set(sys.modules)
assert module.WEB_DIRECTORY == "./web/dist" and callable(module.comfy_entrypoint)
"""


def test_it_starts_fast_and_alone(pack):
    """As ComfyUI imports it, by path: quickly, without torch, and without anything of the checkout."""
    done = subprocess.run([sys.executable, "-I", "-c", START, str(pack)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.3


def test_nodes_work_from_the_archive(pack, tmp_path):
    """In a pretended ComfyUI: the embedded model makes a video with the archive's own code and weights."""
    command = [sys.executable, "-m", "tests.packaging.first_video", str(pack), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=archive.ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    assert Path(done.stdout.strip().splitlines()[-1]).stat().st_size > 1000


@pytest.mark.parametrize(
    "line",
    [
        "eval(text)", "import subprocess", 'os.system("ls")', 'os.environ["HOME"]', "process.env.HOME", "import socket",
        "client.connect(address)", "urllib.request.urlopen(url)", "__import__(name)", 'open("/{}/x")'.format("home/me"),
    ],
)  # fmt: skip
def test_scanners_would_find(line):
    assert any(re.search(pattern, line) for pattern in PATTERNS.values())
    assert not any(re.search(pattern, "model.eval().requires_grad_(False)") for pattern in PATTERNS.values())


def test_scanners_find_nothing(pack, names):
    hits, used = [], set()
    for name in sorted(names):
        data = (pack / name).read_bytes()
        if b"\0" in data:
            continue  # pictures, sounds, weights
        for number, line in enumerate(data.decode().splitlines(), 1):
            for what in [what for what, pattern in PATTERNS.items() if re.search(pattern, line)]:
                if what in ALLOWED.get(name, ()):
                    used.add((name, what))
                else:
                    hits.append(f"{name}:{number} {what}")
    assert not hits
    assert used == {(name, what) for name, several in ALLOWED.items() for what in several}, "no longer needed"


def test_jobs_work_from_the_archive(pack, tmp_path):
    """A worker finds the trainer's packages beside it, wherever the pack lies and whatever the working folder is."""
    start = str(pack / "training" / "jobs" / "start.py")
    command = [sys.executable, "-I", start, "training.jobs", "--root", str(tmp_path / "jobs"), "list"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_requirements_leave_comfyui_alone(pack):
    """Nothing that would replace its torch, hold numpy back or bring an opencv beside another."""
    lines = (pack / "requirements.txt").read_text().splitlines()
    wanted = [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]
    assert wanted
    for line in wanted:
        name = re.split(r"[^\w-]", line)[0].lower()
        assert name not in ("torch", "torchvision", "torchaudio", "xformers", "numpy") and "opencv" not in name, line
        assert not re.search(r"==|<|~=|@|git\+|://", line), f"{line}: a range without an upper end"
