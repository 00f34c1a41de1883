"""The recipe runs its stages in order, skips what is done, and goes on from a named stage."""

from pathlib import Path

import pytest

from training.recipes.embedded import Budget, Stage, run, stages


def test_runs_in_order_and_skips_what_exists(tmp_path: Path):
    done = tmp_path / "a"
    done.touch()
    missing = tmp_path / "missing"
    todo = [Stage("a", [["m.a"]], done), Stage("b", [["m.b", "x"]], missing), Stage("c", [["m.c"]], missing)]
    calls: list[list[str]] = []
    run(todo, None, calls.append)
    assert [c[2:] for c in calls] == [["m.b", "x"], ["m.c"]]
    calls.clear()
    run(todo, "a", calls.append)
    assert [c[2] for c in calls] == ["m.a", "m.b", "m.c"]
    with pytest.raises(SystemExit, match="stages: a, b, c"):
        run(todo, "z", calls.append)


def test_every_command_names_a_module_and_its_arguments_are_known():
    import importlib.util

    names = [stage.name for stage in stages(Budget(), 2)]
    assert names == ["corpus", "heldout", "audio", "codec", "features", "trunk", "decoder", "refine", "reader"]
    for stage in stages(Budget().scaled(0.01), 2):
        for command in stage.commands:
            assert importlib.util.find_spec(command[0]) is not None
