"""Rows share what is equal and nothing else; jobs run in order, once, whatever happens; the table says what is so."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import toy
import yaml
from safetensors.torch import load_file, save_file

from echotorrent_core.conditioning.text import WordEncoder
from echotorrent_core.errors import InputError
from echotorrent_core.metrics.reader import MouthReader
from echotorrent_core.model.dit import Trunk
from echotorrent_core.presets import debug
from echotorrent_core.weights.parts import save_part
from training import ablate
from training.ablation.jobs import about, is_done, note, work
from training.ablation.plan import Job, Recipe, finished, make_plan
from training.ablation.rows import FULL, ROWS
from training.ablation.table import read_results, write_report
from training.config import engine_config, load, plain
from training.denoiser import Denoiser, teacher_config
from training.methods.acc_dmd import scorer_config
from training.rollout import Rollout, part, sample

DISTIL = {"critic_only": 1, "critic_steps": 2, "dmd": {"shift": 3.0}}


def judged_by_teacher(student):
    weights = {"student": student, "real": "teacher", "fake": "teacher"}
    return {role: {"weights": f"stage:{name}"} for role, name in weights.items()}


STAGES = {
    "base": {"method": "sft"},
    "teacher": {"method": "sft", "settings": {"window": 16}, "roles": {"student": {"weights": "stage:base"}}},
    "causal_teacher": {
        "method": "sft",
        "settings": {"context": "clean"},
        "roles": {"student": {"weights": "stage:base"}},
    },
    "causal": {
        "method": "causal_cd",
        "roles": {"student": {"weights": "stage:causal_teacher"}, "real": {"weights": "stage:causal_teacher"}},
    },
    "singing": {"method": "grpo", "roles": {"student": {"weights": "stage:teacher"}}},
    "acc_dmd": {
        "method": "acc_dmd",
        "settings": DISTIL,
        "roles": judged_by_teacher("causal"),
    },
    "experts": {
        "method": "expert_transfer",
        "settings": DISTIL | {
            "experts": {"singing": "stage:singing"},
            "phases": [{"expert": "singing", "domain": "singing", "steps": 4}],
        },
        "roles": judged_by_teacher("acc_dmd"),
    },
    "long_tail": {
        "method": "long_tail",
        "settings": DISTIL | {"windows": 3, "context_latents": 4},
        "roles": judged_by_teacher("experts"),
    },
    "decoder": {
        "method": "decoder_refiner",
        "settings": {"clips": 4, "crop": 32, "start": 1, "lead": 1},
        "roles": {"student": {"weights": "stage:long_tail"}},
    },
}  # fmt: skip


def recipe(folder: Path, stages=STAGES, **more) -> Path:
    data = {
        "preset": "debug",
        "folder": str(folder / "recipe"),
        "precision": "no",
        "data": {"features": str(folder / "features.safetensors"), "batch": 2, "short": 16, "long": 16},
        "loop": {"steps": 20, "warmup": 2, "log_every": 1, "save_every": 100},
        "stages": stages,
    }
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(data | more, sort_keys=False))
    return path


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plan")
    return make_plan(Recipe(str(recipe(folder))), ROWS, [0, 1], folder / "out")


def stages_of(plan, row, seed=0):
    """Stage -> job, of everything a row's evaluation needs."""
    ending = next(one for one in plan.endings if (one.row, one.seed) == (row, seed))
    wanted, found = [ending.judged], {}
    while wanted:
        job = plan.jobs[wanted.pop()]
        found[job.stage] = job
        wanted += job.needs
    return found


def own(plan, row, seed=0):
    """The stages that a row does not have in common with the full one."""
    full = stages_of(plan, FULL, seed)
    return {stage for stage, job in stages_of(plan, row, seed).items() if full.get(stage) is not job}


# Plans


def test_rows_share_what_is_equal(plan):
    after = {"acc_dmd", "experts", "long_tail", "decoder", "evaluation"}
    streaming = {"causal_teacher", "causal"} | after
    assert {row: own(plan, row) for row in ROWS} == {
        "full": set(),
        "no_sei": {"singing"} | after,
        "original_dmd": after,
        "full_causal": streaming,
        "full_bidirectional": streaming,
        "no_sink": streaming,
        "all_forcing": {"long_tail", "decoder", "evaluation"},
        "no_decoder": {"evaluation"},
        "all_history": streaming,
        "eq3_literal": set(),
        "eq3_prose": after,
        "last_step": {"evaluation"},
        "last_step_trained": {"long_tail", "decoder", "evaluation"},
        "clean": {"evaluation"},
        "clean_trained": {"long_tail", "decoder", "evaluation"},
    }


def test_seeds_begin_with_distillation(plan):
    one, other = stages_of(plan, FULL, 0), stages_of(plan, FULL, 1)
    assert {stage for stage in one if one[stage] is not other[stage]} == {
        "acc_dmd", "experts", "long_tail", "decoder", "evaluation",
    }  # fmt: skip
    seeds = [yaml.safe_load(found["long_tail"].files["job.yaml"]) for found in (one, other)]
    assert [data["loop"]["seed"] for data in seeds] == [0, 1] and [d["settings"]["seed"] for d in seeds] == [0, 1]
    assert one["base"].name == "shared/base" and other["acc_dmd"].name == "full/seed-1/acc_dmd"
    assert stages_of(plan, "no_sink", 1)["causal"].name == "no_sink/causal"
    assert stages_of(plan, "no_decoder", 1)["long_tail"].name == "full/seed-1/long_tail"


def test_jobs_are_runs_that_start_from_the_weights_before(plan, tmp_path):
    found = stages_of(plan, FULL)
    for stage, job in found.items():
        if stage == "evaluation":
            continue
        path = tmp_path / f"{stage}.yaml"
        path.write_text(job.files["job.yaml"])
        (run,) = load(str(path)).values()
        assert run.folder == job.folder and run.loop.steps == 20
        weights = [str(found[one].folder / "weights") for one in ("causal", "teacher") if stage == "acc_dmd"]
        if stage == "acc_dmd":
            assert [*run.roles.student.weights, *run.roles.real.weights] == weights
        if stage == "experts":
            assert run.settings.experts == {"singing": found["singing"].folder / "weights"}
    command = found["evaluation"].command
    parts = [Path(command[i + 1]) for i, word in enumerate(command) if word == "--parts"]
    assert parts == [found[one].folder / "weights" for one in ("decoder", "long_tail")]
    bare = stages_of(plan, "no_decoder")["evaluation"].command
    assert [bare[i + 1] for i, word in enumerate(bare) if word == "--parts"] == [str(parts[1])]
    clean = stages_of(plan, "clean")["evaluation"].command
    assert json.loads(clean[clean.index("--engine") + 1]) == {"stream": {"cache_write": "clean"}}


def test_what_is_left_out_is_started_around(plan):
    found = stages_of(plan, "no_sei")
    assert found.keys() & {"teacher", "causal_teacher", "causal"} == set()
    roles = yaml.safe_load(found["acc_dmd"].files["job.yaml"])["roles"]
    base = str(found["base"].folder / "weights")
    assert [roles[role]["weights"] for role in ("student", "real", "fake")] == [[base]] * 3
    assert found["base"] is stages_of(plan, FULL)["base"]


def test_policies_of_a_row_reach_the_streams_stages_only(plan, tmp_path):
    def engine(stage, row):
        path = tmp_path / "one.yaml"
        path.write_text(stages_of(plan, row)[stage].files["job.yaml"])
        return engine_config(*load(str(path)).values())

    for stage in ("base", "teacher", "singing"):
        assert engine(stage, "no_sink") == debug()
    config = engine("long_tail", "no_sink")
    assert [(p.history, p.in_chunk, p.sink) for p in config.layers[:2]] == [
        (12, "frame_causal", False),
        (0, "full", False),
    ]
    assert len(config.layers) == 4 and config.stream == debug().stream
    assert {p.in_chunk for p in engine("causal", "full_causal").layers} == {"frame_causal"}
    assert {p.history for p in engine("decoder", "full_bidirectional").layers} == {0}
    assert {p.history for p in engine("acc_dmd", "all_history").layers} == {12}
    assert engine("acc_dmd", "clean_trained") == debug() != engine("long_tail", "clean_trained")


def test_changed_settings_of_one_stage_leave_the_others_alone(tmp_path):
    """YAML's anchors are one and the same object in all places."""
    path = tmp_path / "anchored.yaml"
    path.write_text(
        "preset: debug\nstages:\n  a: {method: acc_dmd, loop: {steps: 1}, settings: &d {dmd: {low: {alpha: 1.8}}}}\n"
        "  b: {method: long_tail, loop: {steps: 1}, settings: {<<: *d, windows: 11}}\n"
    )
    runs = load(str(path), ["stages.a.settings.dmd.low.alpha=3"])
    assert (runs["a"].settings.dmd.low.alpha, runs["b"].settings.dmd.low.alpha) == (3.0, 1.8)


def test_a_budget_scales_all_numbers_of_steps(tmp_path):
    path = str(recipe(tmp_path))
    runs = Recipe(path, (), 0.5).runs(ROWS[FULL])
    assert {run.loop.steps for run in runs.values()} == {10} and runs["base"].loop.warmup == 1
    assert runs["experts"].settings.phases[0].steps == 2 and runs["experts"].settings.rewarm == 50
    assert runs["causal"].settings.steps == load(path)["causal"].settings.steps  # of the grid, not of training
    assert Recipe(path, (), 1.0).runs(ROWS[FULL])["base"] == load(path)["base"]


def test_another_recipe_gives_other_jobs_from_there_on(tmp_path):
    full = {FULL: ROWS[FULL]}
    plan = make_plan(Recipe(str(recipe(tmp_path))), full, [0], tmp_path / "out")
    changed = make_plan(Recipe(str(recipe(tmp_path)), ("stages.causal.settings.lr=0.1",)), full, [0], tmp_path / "out")
    before, after = stages_of(plan, FULL), stages_of(changed, FULL)
    same = {stage for stage in before if before[stage].key == after[stage].key}
    assert same == {"base", "teacher", "causal_teacher", "singing"}
    judged = make_plan(Recipe(str(recipe(tmp_path))), full, [0], tmp_path / "out", ["--people", "2"])
    assert own_keys(plan) - own_keys(judged) == {before["evaluation"].key}


def own_keys(plan):
    return {job.key for job in stages_of(plan, FULL).values()}


def test_what_the_recipe_has_done_is_not_done_again(tmp_path):
    path, twice = recipe(tmp_path), "stages.teacher.loop.accumulate=2"
    runs = load(str(path), (twice,))
    for stage in ("base", "teacher", "acc_dmd"):  # acc_dmd: but not what it starts from
        data = plain(runs[stage])
        if stage == "teacher":  # by two processes, which had a micro-batch each
            data |= {"processes": 2, "loop": data["loop"] | {"accumulate": 1}}
        folder = runs[stage].folder
        folder.mkdir(parents=True)
        (folder / "run.yaml").write_text(yaml.safe_dump(data))
        (folder / "done.json").write_text('{"steps": 20}')

    def kept(*overrides, budget=1.0):
        plan = make_plan(Recipe(str(path), overrides, budget), {FULL: ROWS[FULL]}, [0], tmp_path / "out")
        return {job.name for job in plan.jobs.values() if job.kept}

    assert kept(twice) == {str(runs["base"].folder), str(runs["teacher"].folder)}
    assert kept() == {str(runs["base"].folder)}  # of half the batch
    assert kept(twice, budget=0.5) == set()
    assert not finished(dataclasses.replace(runs["base"], preset="embedded"))


def test_recipes_that_do_not_fit_are_refused(tmp_path):
    without = {name: stage for name, stage in STAGES.items() if name in ("base", "acc_dmd")}
    with pytest.raises(InputError, match="stages are base, acc_dmd"):
        make_plan(Recipe(str(recipe(tmp_path, without))), ROWS, [0], tmp_path / "out")
    turned = {"teacher": STAGES["teacher"], "base": STAGES["base"]}
    with pytest.raises(InputError, match="starts from base, which does not come before it"):
        make_plan(Recipe(str(recipe(tmp_path, turned))), {FULL: ROWS[FULL]}, [0], tmp_path / "out")


def test_the_shipped_recipe_has_all_rows(tmp_path):
    plan = make_plan(Recipe(ablate.RECIPE, tuple(ablate.prepared(ablate.RECIPE))), ROWS, [0, 1, 2], tmp_path)
    assert len(plan.endings) == 3 * len(ROWS)
    assert own(plan, "no_decoder") == own(plan, "clean") == {"evaluation"}
    assert all(own(plan, row) for row in ROWS if row not in (FULL, "eq3_literal"))


# The policy of the row without a sink


def test_a_layer_without_a_sink_reads_none():
    torch.manual_seed(0)
    config = debug()
    student = Denoiser(Trunk(config.trunk), WordEncoder(config.text)).eval()
    layers = tuple(dataclasses.replace(policy, sink=False) for policy in config.layers)
    stream = dataclasses.replace(config.stream, sink=dataclasses.replace(config.stream.sink, source="reference"))
    alone = dataclasses.replace(config, layers=layers, stream=stream)
    g = torch.Generator().manual_seed(0)
    latents, reference = torch.randn(1, 4, 8, 4, 4, generator=g), torch.randn(1, 4, 1, 4, 4, generator=g)
    batch = {
        "latents": latents, "reference": reference, "features": torch.randn(1, 33, 39, generator=g),
        "ids": torch.tensor([[0, 5, 10]]), "first": torch.tensor(True),
    }  # fmt: skip

    def estimate(config, sink):
        return student(config, latents, torch.full((1, 8), 0.5), reference, sink, batch, True)

    with torch.no_grad():
        assert torch.equal(estimate(alone, reference), estimate(alone, reference * 3))
        assert not torch.allclose(
            estimate(dataclasses.replace(alone, layers=config.layers), reference * 3), estimate(alone, reference)
        )
        teacher = teacher_config(alone, 8)  # which has its sink, and was trained with it
        assert not torch.allclose(estimate(teacher, reference * 3), estimate(teacher, reference))
        assert all(policy.sink for policy in scorer_config(alone, student).layers)
        short = part(batch, 0, 4, 2)
        whole = sample(student, alone, short, torch.Generator().manual_seed(1), exit_step=0)
        for sink in (reference, reference * 3):
            rollout = Rollout(alone, reference)
            rollout.sink = sink
            made = rollout.window(student, short, torch.Generator().manual_seed(1), 0, ends=True).final
            torch.testing.assert_close(made, whole)


# Jobs


def job(folder: Path, name: str, script: str, needs=(), stage="") -> Job:
    """A job of a line of Python, which finds its folder in `here` and has to leave `done.json`."""
    at = folder / name
    code = f"from pathlib import Path; here = Path({str(at)!r}); {script}; (here / 'done.json').write_text('x')"
    return Job(f"key-{name}", name, stage or name, at, at / "done.json", (sys.executable, "-c", code), tuple(needs))


NOTE = "open(here.parent / 'order', 'a').write(here.name)"


def test_jobs_run_once_in_order_and_go_on_after_a_failure(tmp_path):
    said = []
    jobs = [
        job(tmp_path, "a", NOTE),
        job(tmp_path, "b", "raise SystemExit('no luck')", ["key-a"]),
        job(tmp_path, "c", NOTE, ["key-a"]),
        job(tmp_path, "d", NOTE, ["key-b"]),
        job(tmp_path, "e", NOTE, ["key-c"]),
        job(tmp_path, "f", NOTE, ["key-d"]),
    ]
    failures = work(jobs, 2, said.append)
    assert (tmp_path / "order").read_text() == "ace"
    assert [(one.job.name, one.reason) for one in failures] == [
        ("b", "status 1: no luck"),
        ("d", "needs a job that failed"),
        ("f", "needs a job that failed"),
    ]
    assert any("failed: b (status 1: no luck)" in line for line in said) and "left" in said[1]
    jobs[1] = job(tmp_path, "b", NOTE, ["key-a"])
    assert work(jobs, 1, said.append) == []
    assert (tmp_path / "order").read_text() == "acebdf"
    assert all(about(one)["seconds"] > 0 for one in jobs)


def test_a_job_that_leaves_nothing_has_failed(tmp_path):
    silent = dataclasses.replace(job(tmp_path, "a", "0"), done=tmp_path / "a/never")
    assert [one.job.name for one in work([silent], 1, lambda text: None)] == ["a"]


def test_no_more_at_a_time_than_asked_for(tmp_path):
    script = "import time; (here / 'on').touch(); time.sleep(0.4); " + (
        "open(here.parent / 'seen', 'a').write(str(len(list(here.parent.glob('*/on'))))); (here / 'on').unlink()"
    )
    work([job(tmp_path, str(i), script) for i in range(4)], 2, lambda text: None)
    assert set((tmp_path / "seen").read_text()) <= {"1", "2"} and "2" in (tmp_path / "seen").read_text()


def test_another_configuration_in_the_folder_is_not_touched(tmp_path):
    first = job(tmp_path, "a", NOTE)
    work([first], 1, lambda text: None)
    other = dataclasses.replace(first, key="other")
    assert not is_done(other)
    (failure,) = work([other], 1, lambda text: None)
    assert "holds a run of another configuration" in failure.reason
    assert is_done(first) and (tmp_path / "order").read_text() == "a"


def test_checkpoints_of_finished_jobs_go(tmp_path):
    script = "(here / 'checkpoints' / 'step-1').mkdir(parents=True); (here / 'weights').mkdir()"
    work([job(tmp_path, "a", script)], 1, lambda text: None)
    assert not (tmp_path / "a/checkpoints").exists() and (tmp_path / "a/weights").exists()


@pytest.mark.slow  # processes that must import torch
def test_stopped_in_the_middle_and_gone_on(tmp_path):
    """The driver stops, its job too; while a job lives on after its driver was killed, it is not begun twice."""
    script = tmp_path / "driver.py"
    script.write_text(
        f"import sys, signal; sys.path[:0] = [{str(Path(__file__).parent)!r}]\n"
        "from pathlib import Path; from test_ablate import job, work\n"
        "signal.signal(signal.SIGTERM, signal.default_int_handler)\n"
        f"here = Path({str(tmp_path)!r})\n"
        "work([job(here, 'a', \"import time; (here / 'pid').touch(); time.sleep(60)\")], 1)\n"
    )

    def begun():
        (tmp_path / "a/pid").unlink(missing_ok=True)
        driver = subprocess.Popen([sys.executable, str(script)], env=toy.environment(), cwd=toy.ROOT)
        for _ in range(600):
            if (tmp_path / "a/pid").exists():
                return driver
            time.sleep(0.1)
        raise AssertionError("never began")

    driver = begun()
    driver.send_signal(signal.SIGTERM)
    driver.wait(60)
    short = job(tmp_path, "a", NOTE)
    assert about(short)["seconds"] > 0 and not is_done(short)
    driver = begun()  # nobody holds its folder any more
    child = int(subprocess.run(["pgrep", "-P", str(driver.pid)], capture_output=True, text=True).stdout)
    driver.kill()
    driver.wait(60)
    (failure,) = work([short], 1, lambda text: None)
    assert "is at work already" in failure.reason
    os.kill(child, signal.SIGTERM)
    for _ in range(100):
        if work([short], 1, lambda text: None) == []:
            break
        time.sleep(0.1)
    assert is_done(short)


# All of it


def test_an_interrupted_table_keeps_the_rows_that_are_done(tmp_path, monkeypatch):
    def half(jobs, workers):
        """In order, and Ctrl-C at the first job of seed 1."""
        for job in jobs:
            if "seed-1" in job.name:
                raise KeyboardInterrupt
            job.done.parent.mkdir(parents=True, exist_ok=True)
            job.done.write_text("{}")
            note(job, key=job.key, seconds=1.0)

    monkeypatch.setattr(ablate, "work", half)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # of the process that runs the tests
    out = tmp_path / "out"
    arguments = ["--recipe", str(recipe(tmp_path)), "--rows", "clean", "--seeds", "0,1", "--out", str(out)]
    assert ablate.main(arguments) == 130
    found = {path.parent.relative_to(out).as_posix() for path in out.rglob("result.json")}
    assert found == {"full/seed-0", "clean/seed-0"}


@pytest.mark.slow  # a minute: every job is a process
def test_trains_and_judges_from_a_recipe(tmp_path):
    pytest.importorskip("skia", exc_type=ImportError)  # renders the clip that is judged
    toy.features(tmp_path / "plain.safetensors")
    columns = load_file(tmp_path / "plain.safetensors")
    clips = len(columns["latents"])
    columns["frames"] = torch.randint(0, 255, (clips, 66, 32, 32, 3), dtype=torch.uint8)
    columns["mouth_box"] = torch.tensor([8.0, 16.0, 24.0, 28.0]).expand(clips, 66, 4).contiguous()
    save_file(columns, tmp_path / "features.safetensors")
    roles = {"student": {"weights": "stage:base"}, "real": {"weights": "stage:base"}, "fake": {"weights": "stage:base"}}
    stages = {
        "base": STAGES["base"],
        "acc_dmd": STAGES["acc_dmd"] | {"roles": roles},
        "long_tail": STAGES["long_tail"] | {"roles": roles | {"student": {"weights": "stage:acc_dmd"}}},
        "decoder": STAGES["decoder"],
    }
    torch.manual_seed(0)
    save_part(MouthReader().state_dict(), tmp_path / "reader.safetensors", {})
    judge = f"--clips 1 --people 2 --seconds 2 --reader {tmp_path / 'reader.safetensors'}"
    arguments = ["-m", "training.ablate", "--recipe", recipe(tmp_path, stages), "--budget", "0.1", "--workers", "2"]
    arguments += ["--rows", "no_decoder,clean", "--seeds", "0", "--out", tmp_path / "out", "--docs", tmp_path / "docs"]
    done = toy.launch(*arguments, "--judge", judge, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 jobs, 0 done before" in done.stdout
    found = read_results(tmp_path / "out")
    assert found.keys() == {FULL, "no_decoder", "clean"}
    assert found[FULL].keys != found["no_decoder"].keys and found[FULL].seconds > found["clean"].seconds * 0.5
    text = (tmp_path / "docs/ablations.md").read_text()
    assert "| w/o Decoder FT |" in text
    again = toy.launch(*arguments, "--judge", judge)
    assert "7 jobs, 7 done before" in again.stdout and again.returncode == 0
    assert (tmp_path / "docs/ablations.md").read_text() == text
    write_report(tmp_path / "out", tmp_path / "again")
