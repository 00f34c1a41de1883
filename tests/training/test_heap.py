"""What freed memory costs: pages that are mapped again at every allocation."""

import subprocess
import sys

import pytest

CODE = """
import resource, sys, torch
from training.heap import keep_freed_memory
torch.set_num_threads(1)
if sys.argv[1] == "kept":
    assert keep_freed_memory()
for _ in range(12):  # the heap grows at first
    torch.ones(12_000_000)  # 48 MB, above what glibc ever keeps by itself
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    torch.ones(12_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
def test_freed_blocks_are_used_again():
    def faults(how: str, **given: str) -> int:
        done = subprocess.run([sys.executable, "-c", CODE, how], capture_output=True, text=True, check=True, env=given)
        return int(done.stdout)

    assert faults("kept") < faults("default") / 10


def test_whoever_set_it_otherwise_is_heeded(monkeypatch):
    from training.heap import keep_freed_memory

    monkeypatch.setenv("MALLOC_ARENA_MAX", "2")
    assert not keep_freed_memory()
