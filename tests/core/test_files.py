"""Files that somebody has open are replaced a little later, where the system refuses it at once."""

from types import SimpleNamespace

import pytest

from echotorrent_core import files as of_core
from training.jobs import files as of_jobs


@pytest.fixture(params=[of_core, of_jobs], ids=["core", "jobs"])
def windows(request, monkeypatch):
    """The module on a Windows where `held` more tries are refused."""
    state = SimpleNamespace(held=0, tries=0, module=request.param)

    def replace(source, target):
        state.tries += 1
        if state.tries <= state.held:
            raise PermissionError(13, "sharing violation")
        target.write_bytes(source.read_bytes())
        source.unlink()

    monkeypatch.setattr(request.param, "os", SimpleNamespace(name="nt", replace=replace))
    return state


def test_a_file_in_use_is_replaced_when_it_is_let_go(windows, tmp_path):
    source, target = tmp_path / "new", tmp_path / "old"
    source.write_text("new"), target.write_text("old")
    windows.held = 3
    windows.module.move(source, target)
    assert target.read_text() == "new" and not source.exists() and windows.tries == 4


def test_patience_ends(windows):
    open_in_vain.tries = 0
    with pytest.raises(PermissionError):
        windows.module.patiently(open_in_vain, seconds=0.05)
    assert open_in_vain.tries > 1


def test_elsewhere_a_refusal_is_one(windows):
    windows.module.os.name = "posix"
    open_in_vain.tries = 0
    with pytest.raises(PermissionError):
        windows.module.patiently(open_in_vain)
    assert open_in_vain.tries == 1


def open_in_vain():
    open_in_vain.tries += 1
    raise PermissionError(13, "sharing violation")
