"""`python -m tests.parity DIR`: the largest error of each fixture under DIR against its tolerance.

Exits with 1 when one is out of tolerance, fails, or has no case here.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .cases import load_cases
from .runner import CASES, FIXTURES, Fixture, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.parity", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=FIXTURES, metavar="DIR")
    args = parser.parse_args()
    load_cases()
    folders = sorted(path.parent for path in args.folder.rglob("meta.json"))
    if not folders:
        print(f"{args.folder} holds no fixtures: expected folders with meta.json and io.safetensors", file=sys.stderr)
        return 1
    failed = 0
    for folder in folders:
        name, verdict = folder.name, ""
        try:
            fixture = Fixture(folder)
            name = fixture.name
            if name not in CASES:
                verdict = "NOT SUPPORTED: no case is registered under this name"
            else:
                checks = run(fixture)
                worst = max(checks, key=lambda check: check.excess)
                ok = "ok " if worst.excess <= 1 else "OUT"
                verdict = f"{ok} {len(checks):4d} tensors, worst {worst.name}: "
                verdict += f"{worst.error:.2g}, {worst.excess:.2f} x allowed"
        except Exception as error:  # one broken fixture must not hide the others
            verdict = f"FAILED: {type(error).__name__}: {error}"
        failed += not verdict.startswith("ok")
        print(f"{name:20} {verdict}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
