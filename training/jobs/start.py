"""Runs a module of this repository by name, as `python -m` would: `python start.py training.jobs.worker ...`.

A script and not `-m`, because a Python that comes inside another program may ignore the working folder and PYTHONPATH.
"""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    sys.path[:] = [str(here.parents[1]), *(path for path in sys.path if Path(path or ".").resolve() != here)]
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
