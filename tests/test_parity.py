"""Every golden fixture within its own tolerance. Skipped where the fixtures are not beside the checkout; the oracle
tests against diffusers and transformers classes (tests/core) run everywhere."""

import pytest

from tests.parity.cases import load_cases
from tests.parity.runner import CASES, FIXTURES, Fixture, run

load_cases()


@pytest.mark.parametrize("name", sorted(CASES))
def test_fixture(name):
    folder = FIXTURES / name
    if not folder.is_dir():
        pytest.skip("golden fixtures are not beside this checkout (ECHOTORRENT_SHARED names their folder)")
    out = [check for check in run(Fixture(folder)) if check.excess > 1]
    assert not out, "; ".join(f"{check.name} off by {check.error:.2g}" for check in out[:5])
