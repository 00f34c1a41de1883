"""The recipe runs its stages in order, skips what is done, and goes on from a named stage; its files are valid."""

import importlib.util
from pathlib import Path

import pytest

from training.config import load
from training.networks import WEIGHTS
from training.recipes.embedded import SMALL, Budget, Stage, Work, collect, run, stages

BUDGETS = {"embedded": Budget(), "small": SMALL}


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path / "work", tmp_path / "corpus", tmp_path / "heldout")


def test_runs_in_order_and_skips_what_is_done(tmp_path: Path) -> None:
    todo = [Stage("a", [["m.a"]]), Stage("b", [["m.b", "x"], ["m.b", "y"]]), Stage("c", [["m.c"]])]
    done, calls = tmp_path / "done", list[list[str]]()

    def call(command: list[str]) -> None:
        calls.append(command[2:])
        if command[2:] == ["m.b", "y"] and len(calls) == 3:
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        run(todo, done, call=call)
    assert calls == [["m.a"], ["m.b", "x"], ["m.b", "y"]]
    calls.clear()
    run(todo, done, call=call)  # `a` is done, `b` is not
    assert calls == [["m.b", "x"], ["m.b", "y"], ["m.c"]]
    calls.clear()
    run(todo, done, "c", call)
    assert calls == [["m.c"]]
    with pytest.raises(SystemExit, match="stages: a, b, c"):
        run(todo, done, "z", call)


@pytest.mark.parametrize("name", BUDGETS)
def test_every_command_names_a_module(name: str, work: Work) -> None:
    found = stages(BUDGETS[name], work, 2, [])
    names = ["corpus", "heldout", "audio", "codec", "pictures", "reader", "features", "trunk"]
    if not BUDGETS[name].reader_steps:
        names.remove("reader")
    assert [stage.name for stage in found] == names
    for stage in found:
        for command in stage.commands:
            assert importlib.util.find_spec(command[0]) is not None


@pytest.mark.parametrize("name", BUDGETS)
def test_recipe_files_are_valid_with_the_recipes_folders(name: str, work: Work) -> None:
    """The stages in the paper's order, in their folders, and the same windows whatever the number of processes."""
    runs = load(name, work.overrides(2))
    causal = ["causal_teacher", "causal"] if name == "small" else []  # the larger base can begin already
    experts = ["singing", "profile", "rare"]
    assert list(runs) == ["base", "teacher", *causal, *experts, "acc_dmd", "experts", "long_tail", "decoder"]
    assert {run.preset for run in runs.values()} == {BUDGETS[name].preset}
    alone = load(name, work.overrides(1))
    for stage, run_ in runs.items():
        assert run_.folder == work.runs / stage and run_.data.features == work.features / "train"
        assert run_.global_batch == alone[stage].global_batch


@pytest.mark.parametrize("name", ["embedded", "small", "ablation", "echotorrent_14b", "echotorrent_1_3b"])
def test_students_learn_from_every_expert_that_a_recipe_has(name: str) -> None:
    found = [run for run in load(name).values() if run.method == "expert_transfer"]
    assert found and all(run.settings.phases and not run.settings.idle() for run in found)


def test_collects_each_part_from_where_it_was_made_last(work: Work, tmp_path: Path) -> None:
    made = {
        "parts": ("audio", "reader", "vae"),
        "runs/long_tail/weights": ("trunk", "text"),
        "runs/decoder/weights": ("vae",),
    }
    assert WEIGHTS == "weights"
    for folder, parts in made.items():
        (work.root / folder).mkdir(parents=True)
        for part in parts:
            (work.root / folder / f"{part}.safetensors").write_text(folder)
    out = collect(work, tmp_path / "out")
    found = {path.stem: path.read_text() for path in out.iterdir()}
    assert found == {
        "audio": "parts", "reader": "parts", "vae": "runs/decoder/weights",
        "trunk": "runs/long_tail/weights", "text": "runs/long_tail/weights",
    }  # fmt: skip
