"""How a node follows its run, in a pretended ComfyUI with the toy model: steps, interrupts, memory, workflow ids."""

import re
import sys
import time
import weakref
from types import SimpleNamespace

import pytest

from tests.nodes.fake_comfy import Interrupted, part
from tests.nodes.test_nodes import InputError, Toy, frames

TOTAL = 38  # frames of 1.5 s
STEPS = 2  # denoising steps of the toy


@pytest.fixture
def toy(host):
    return Toy()


@pytest.fixture
def save(nodes):
    return nodes["EchoTorrent_SaveVideo"]


def each_step(monkeypatch, toy, act):
    """`act(chunk, step)` within each denoising step, after it was told to the session."""
    engine = type(toy.model.engine())
    step = engine.step

    def slow(self, state, samples, on_step, **options):
        def told(i):
            on_step(i)
            act(state.chunk, i)

        return step(self, state, samples, on_step=told, **options)

    monkeypatch.setattr(engine, "step", slow)


def test_every_denoising_step_is_shown(save, host, toy, monkeypatch):
    values, texts = [], []
    bar = SimpleNamespace(update_absolute=values.append)
    monkeypatch.setattr(sys.modules["comfy"].utils, "ProgressBar", lambda total: bar)
    host.instance.send_progress_text = lambda text, node: texts.append(text)
    each_step(monkeypatch, toy, lambda chunk, step: time.sleep(0.1))
    made = save.execute(frames(toy), "talk")
    shown = [re.search(r"chunk (\d+): step (\d+) of (\d+)", text) for text in texts]
    steps = [tuple(map(int, found.groups())) for found in shown if found]
    assert steps == [(chunk, step, STEPS) for chunk in (1, 2, 3) for step in range(1, STEPS + 1)]
    assert values == sorted(values) and values[-1] == TOTAL and len(set(values)) == 3 * STEPS + 1
    assert texts[0] == "loading the model" and texts[-1] == f"run {made.args[1]}"
    assert re.search(r"0\.\d of 1\.5 s, \d\.\d\dx real time, chunk 2", " ".join(texts))


def test_an_interrupt_acts_within_the_step(save, host, toy, monkeypatch):
    begun = []

    def act(chunk, step):
        begun.append((chunk, step))
        if begun[-1] == (1, 0):
            host.interrupt = True
        time.sleep(0.2)

    each_step(monkeypatch, toy, act)
    with pytest.raises(Interrupted):
        save.execute(frames(toy), "talk")
    assert begun == [(0, 0), (0, 1), (1, 0)]


def test_what_filled_the_memory_is_let_go_before_it_is_freed(save, host, toy, monkeypatch):
    held = []

    class Activations:
        pass

    def act(chunk, step):
        activations = Activations()
        held.append(weakref.ref(activations))
        raise RuntimeError("CUDA out of memory")

    each_step(monkeypatch, toy, act)
    monkeypatch.setattr(
        sys.modules["comfy"].model_management, "unload_all_models", lambda: held.append(held[0]() is None)
    )
    with pytest.raises(MemoryError, match="choose a smaller size"):
        save.execute(frames(toy), "talk")
    assert held[1] is True


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ({"workflow": {"id": "0a1b-20"}}, "0a1b-20"),
        ({"workflow": {"id": "00000000-0000-0000-0000-000000000000"}}, None),
        ({"workflow": {"id": 7}}, None),
        ({"workflow": {}}, None),
        ({}, None),
        (None, None),
        ([1], None),
    ],
)
def test_the_workflow_is_known(save, host, toy, monkeypatch, given, known):
    monkeypatch.setattr(save, "hidden", SimpleNamespace(extra_pnginfo=given), raising=False)
    made = save.execute(frames(toy, seconds=0.3), "talk")
    run = part("nodes.host").RUNS.snapshot(made.args[1])
    assert run["workflow_id"] == known and run["total_frames"] == run["frames"] == 8


def test_a_resumed_run_keeps_its_seed(save, host, toy, monkeypatch):
    """The frontend draws a new one whenever a prompt is queued."""
    whole = save.execute(frames(toy, seed=3), "whole")

    def act(chunk, step):
        host.interrupt = chunk == 1
        time.sleep(0.05)

    with monkeypatch.context() as patch:
        each_step(patch, toy, act)
        with pytest.raises(Interrupted):
            save.execute(frames(toy, seed=3), "part")
    (run,) = (run for run in part("nodes.host").RUNS.snapshots() if run["name"] == "part")
    assert run["frames"] < run["total_frames"] == TOTAL
    resumed = save.execute(frames(toy, seed=99), "part", run["id"])
    with open(resumed.args[0].path, "rb") as one, open(whole.args[0].path, "rb") as other:
        assert one.read() == other.read()


def test_pictures_that_do_not_fit_are_not_begun(nodes, host, toy):
    host.free = 12 * TOTAL * 32 * 32 - 1
    with pytest.raises(InputError, match="use 'Save Video', which keeps them on disk"):
        nodes["EchoTorrent_Collect"].execute(frames(toy))
    assert toy.loads == 0
