"""A run as a file: strict keys and kinds, overrides, stages, and what may not change when a run goes on."""

from pathlib import Path

import pytest
import yaml

from echotorrent_core.errors import InputError
from training.config import RECIPES, build, changed, engine_config, load, merge, override, plain
from training.registry import METHODS

RUN = {"method": "sft", "preset": "debug", "loop": {"steps": 10}}


def write(folder: Path, data: object) -> str:
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump(data))
    return str(path)


def test_a_run_is_read_with_its_defaults(tmp_path):
    data = RUN | {"settings": {"lr": "1e-5"}, "data": {"features": "f.safetensors", "shares": {"general": 1}}}
    (run,) = load(write(tmp_path, data), ["loop.cooldown=3", "samples.portraits=[a.png, b.png]"]).values()
    assert run.settings.lr == 1e-5 and run.settings.mouth == 6.0
    assert run.loop.cooldown == 3 and run.loop.warmup == 50
    assert run.data.features == Path("f.safetensors") and run.data.shares == {"general": 1.0}
    assert run.samples.portraits == (Path("a.png"), Path("b.png"))
    assert run.folder == Path("runs/sft")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"loop": {"stepz": 3}}, "loop: unknown key 'stepz' in LoopConfig; did you mean 'steps'?"),
        ({"methd": "sft"}, "unknown key 'methd' in RunConfig; did you mean 'method'?"),
        ({"settings": {"mooth": 1}}, "settings: unknown key 'mooth' in SFTConfig; did you mean 'mouth'?"),
        ({"roles": {"students": {}}}, "roles: unknown key 'students' in RolesSettings; did you mean 'student'?"),
        ({"method": "sftt"}, "unknown method 'sftt'; did you mean 'sft'?"),
        ({"preset": "embeded"}, "unknown preset 'embeded'; did you mean 'embedded'?"),
        ({"engine": {"trunk": {"dims": 3}}}, "unknown key 'dims' in TrunkConfig; did you mean 'dim'?"),
        ({"loop": {"steps": "many"}}, "loop.steps: expected a whole number, got 'many'"),
        ({"loop": {"steps": 0}}, "loop.steps, loop.accumulate and data.batch must be at least 1"),
        ({"loop": {}}, "missing 1 required positional argument: 'steps'"),
        ({"precision": "fp8"}, "precision: expected one of no, bf16, got 'fp8'"),
        ({"sharded": "yes please"}, "sharded: expected true or false, got 'yes please'"),
        ({"settings": {"context": "dirty"}}, "settings.context: expected one of noisy, clean, got 'dirty'"),
        ({"settings": {"window": 4, "context": "clean"}}, "settings: a bidirectional window has no earlier chunks"),
        ({"data": 3}, "data: expected keys with values, got '3'"),
    ],
)
def test_what_is_not_understood_is_refused_in_one_sentence(tmp_path, change, says):
    with pytest.raises(InputError) as error:
        load(write(tmp_path, merge(RUN, change) if change != {"loop": {}} else RUN | change))
    assert says in str(error.value) and "\n" not in str(error.value)


def test_files_that_are_none(tmp_path):
    with pytest.raises(InputError, match=r"cannot be read \(No such file"):
        load(str(tmp_path / "none.yaml"))
    (tmp_path / "bad.yaml").write_text("a: [1, 2")
    with pytest.raises(InputError, match="not readable as YAML"):
        load(str(tmp_path / "bad.yaml"))
    (tmp_path / "list.yaml").write_text("[1]")
    with pytest.raises(InputError, match="expected keys with values at its top"):
        load(str(tmp_path / "list.yaml"))
    with pytest.raises(InputError, match=r"no such recipe; did you mean 'echotorrent_14b'\?"):
        load("echotorrent_14")
    with pytest.raises(InputError, match="names no method"):
        load(write(tmp_path, {"loop": {"steps": 1}}))


def test_overrides():
    data: dict = {"loop": {"steps": 1}}
    override(data, "loop.steps=5")
    override(data, "settings.betas=[0, 0.9]")
    override(data, "precision=no")
    assert data == {"loop": {"steps": 5}, "settings": {"betas": [0, 0.9]}, "precision": False}
    for bad in ("loop.steps", "=3"):
        with pytest.raises(InputError, match="expected key=value"):
            override(data, bad)
    with pytest.raises(InputError, match="'steps' has a value, no keys below it"):
        override(data, "loop.steps.more=1")


def test_no_means_no(tmp_path):
    """YAML reads no, off and false as the same."""
    (run,) = load(write(tmp_path, RUN), ["precision=no"]).values()
    assert run.precision == "no"


def test_stages_inherit_and_differ(tmp_path):
    common = {"preset": "debug", "folder": "out", "data": {"batch": 2}, "loop": {"steps": 5, "warmup": 1}}
    stages = {
        "first": {"method": "sft", "settings": {"lr": 0.1}},
        "second": {"method": "causal_cd", "loop": {"steps": 9}, "roles": {"real": {"weights": "stage:first"}}},
    }
    path = write(tmp_path, common | {"stages": stages})
    first, second = load(path, ["data.batch=4", "stages.first.loop.warmup=2"]).values()
    assert first.folder == Path("out/first") and second.folder == Path("out/second")
    assert (first.loop.steps, second.loop.steps) == (5, 9) and (first.loop.warmup, second.loop.warmup) == (2, 1)
    assert first.data.batch == second.data.batch == 4 and first.settings.lr == 0.1
    assert second.roles.real.weights == ("stage:first",)
    stages["second"]["roles"]["real"]["weights"] = "stage:frist"
    with pytest.raises(InputError, match="weights 'stage:frist': stages are first, second"):
        load(write(tmp_path, common | {"stages": stages}))
    stages["second"] = {"method": "expert_transfer", "settings": {"experts": {"a": "stage:third"}}}
    with pytest.raises(InputError, match="weights 'stage:third': stages are first, second"):
        load(write(tmp_path, common | {"stages": stages}))


def test_a_stage_left_out_is_passed_over(tmp_path):
    stages = {"a": {}, "b": {"roles": {"student": {"weights": "stage:a"}}}}
    stages["c"] = {"roles": {"student": {"weights": "stage:b"}}}
    path = write(tmp_path, RUN | {"without": ["b"], "stages": stages})
    runs = load(path)
    assert list(runs) == ["a", "c"] and runs["c"].roles.student.weights == ("stage:a",)
    assert list(load(path, ["without=[]"])) == ["a", "b", "c"]
    with pytest.raises(InputError, match="a cannot be left out: b needs it, and it starts from nothing"):
        load(path, ["without=[a]"])
    for wrong in ("without=[d]", "without=b"):
        with pytest.raises(InputError, match="without: expected a list of stages"):
            load(path, [wrong])


def test_engine_changes_keep_the_pattern_of_layers():
    run = build(RUN | {"engine": {"trunk": {"num_layers": 6}, "stream": {"sink": {"source": "reference"}}}}, "x")
    engine = engine_config(run)
    assert engine.stream.sink.source == "reference" and engine.stream.sigmas == (1.0, 0.5)
    assert [layer.history for layer in engine.layers] == [12, 0, 12, 0, 12, 0]
    run = build(RUN | {"engine": {"layers": [{"history": 8, "in_chunk": "full"}]}}, "x")
    assert {(layer.history, layer.in_chunk) for layer in engine_config(run).layers} == {(8, "full")}


def test_changes_are_named_but_for_those_that_may_be():
    before = plain(build(RUN, "x"))
    again = plain(build(yaml.safe_load(yaml.safe_dump(before)), "x"))
    assert changed(before, again) == []
    free = {"folder": "elsewhere", "tracker": "tensorboard", "samples": {"every": 3}, "processes": 2}
    free["loop"] = {"steps": 10, "minutes": 3, "save_every": 1, "keep": 5, "log_every": 1}
    assert changed(before, plain(build(RUN | free, "x"))) == []
    other = {"settings": {"lr": 3}, "loop": {"steps": 11}, "data": {"batch": 1}}
    assert changed(before, plain(build(RUN | other, "x"))) == ["loop.steps", "settings.lr", "data.batch"]


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_one_seed_and_it_is_the_runs(name):
    """Wherever its settings have one; the file that a run writes is read back as it was."""
    run = build({"method": name, "preset": "debug", "loop": {"steps": 1, "seed": 7}}, "x")
    seeds = [value for key, value in flat(plain(run)["settings"]) if key.endswith("seed")]
    assert all(seed == 7 for seed in seeds) and bool(seeds) == (name in SEEDED)
    assert build(plain(run), "x") == run


SEEDED = ("ode_init", "acc_dmd", "long_tail", "expert_transfer", "grpo", "identity")


def flat(data, prefix=""):
    for key, value in data.items():
        yield from flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [(f"{prefix}{key}", value)]


def test_a_second_seed_is_refused():
    for method, settings in (("grpo", {"seed": 3}), ("ode_init", {"pairs": {"seed": 3}})):
        with pytest.raises(InputError, match=r"settings\.(pairs\.)?seed: a run has one seed; set loop\.seed=3"):
            build({"method": method, "loop": {"steps": 1}, "settings": settings}, "x")


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_recipes_are_read(path):
    runs = load(path.stem)
    assert all(run.loop.steps > 0 for run in runs.values())
    assert len({run.precision for run in runs.values()}) == 1  # one launch has one precision
