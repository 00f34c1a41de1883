"""The cases, a file per part of the engine; importing a file registers its cases."""

from importlib import import_module
from pathlib import Path


def load_cases() -> None:
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        import_module(f"{__name__}.{path.stem}")
