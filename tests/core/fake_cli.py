"""The command line with the fake engine, for tests that need a process: python fake_cli.py DELAY arguments..."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from fakes import FakeEngine

from echotorrent_core import cli, jobs

if __name__ == "__main__":
    delay = float(sys.argv[1])
    jobs.load_engine = lambda config, args: FakeEngine(delay)
    sys.exit(cli.main(sys.argv[2:]))
