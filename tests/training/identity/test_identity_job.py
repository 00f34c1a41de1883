"""The work of a job, driven by a report that asks for things: stop, go on, save, sample, compare."""

import itertools
import json

import av
import drawn_person as people
import pytest
from safetensors.torch import load_file

from echotorrent_core.errors import InputError
from echotorrent_core.stream import Engine
from echotorrent_core.weights import identity
from training.identity.__main__ import main
from training.identity.job import KINDS
from training.jobs.report import Stopped
from training.metrics import read_metrics

SMALL = {"steps": 6, "decoder_steps": 2, "batch": 1, "rank": 2, "save_every": 2, "sample_every": 0}


class Script:
    """A report that wants things at given steps, and remembers what it was told."""

    def __init__(self, wants=None):
        self.wants = {step: set(commands) for step, commands in (wants or {}).items()}
        self.phases, self.steps, self.metrics, self.answered = [], [], {}, []
        self.open: set[str] = set()

    def phase(self, name):
        self.phases.append(name)

    def progress(self, step, total, metrics=()):
        self.steps.append((step, total))
        self.metrics = dict(metrics) or self.metrics
        self.open |= self.wants.pop(step, set()) if step else set()

    def wanted(self):
        return frozenset(self.open)

    def done(self, command):
        self.open.discard(command)
        self.answered.append(command)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    for number in range(2):
        people.clip(folder / "clips" / f"{number}.mp4", 60)
    (folder / "clips" / "broken.mp4").write_bytes(b"nothing")
    return people.dataset(folder)


def spec(dataset, **settings):
    return {"preset": "embedded", "dataset": str(dataset), "name": "Ana", "settings": SMALL | settings}


def curve(folder):
    clock = ("time", "seconds_per_step")
    return [{k: v for k, v in line.items() if k not in clock} for line in read_metrics(folder / "run")]


@pytest.fixture(scope="module")
def finished(dataset, tmp_path_factory):
    folder, report = tmp_path_factory.mktemp("job"), Script()
    return folder, report, KINDS["identity"](spec(dataset), folder, report)


@pytest.mark.slow
def test_a_job_from_clips_to_an_engine(finished):
    folder, report, made = finished
    assert report.phases == ["preparing data", "training", "training the picture decoder", "writing"]
    assert [step for step, _ in itertools.groupby(report.steps) if step[0]] == [(n, 8) for n in range(1, 9)]
    assert report.metrics["loss"] > 0
    names = sorted(path.name for path in (folder / "run/identities").iterdir())
    assert names == [f"step-{n:08d}.safetensors" for n in (2, 4, 6, 8)]
    assert made["identity"].endswith(names[-1]) and made["clips"] == 2 and made["steps"] == 8
    about = identity.read_identity(folder / "run/identities" / names[-1])
    assert (about.name, about.preset, about.steps, about.dataset["clips"]) == ("Ana", "embedded", 8, 2)
    assert about.preview[:2] == b"\xff\xd8"
    plain = Engine.from_preset("embedded")
    trunk, decoder = dict(plain.trunk.state_dict()), dict(plain.vae.state_dict())
    for name, tuned_decoder in ((names[0], False), (names[-1], True)):
        engine = identity.apply(Engine.from_preset("embedded"), folder / "run/identities" / name, 1.0)
        assert any((engine.trunk.state_dict()[k] != v).any() for k, v in trunk.items())
        assert any((engine.vae.state_dict()[k] != v).any() for k, v in decoder.items()) == tuned_decoder


@pytest.mark.slow
@pytest.mark.parametrize("command", ["stop", "pause"])
def test_stopped_and_gone_on_with_is_the_same(finished, dataset, tmp_path, command):
    """In the trunk's run and in the decoder's: the curve and the last file are those of a job that never stopped."""
    folder, _, _ = finished
    for step in (1, 7):
        with pytest.raises(Stopped) as stopped:
            KINDS["identity"](spec(dataset), tmp_path, Script({step: {command}}))
        assert stopped.value.command == command
    KINDS["identity"](spec(dataset), tmp_path, Script())
    assert curve(tmp_path) == curve(folder) != []
    last = "run/identities/step-00000008.safetensors"
    assert identity.read_identity(tmp_path / last) == identity.read_identity(folder / last)
    one, other = (load_file(place / last) for place in (tmp_path, folder))
    assert one.keys() == other.keys() and all((one[name] == other[name]).all() for name in one)


@pytest.mark.slow
def test_save_and_sample_now(dataset, tmp_path):
    report = Script({1: {"save", "sample"}, 3: {"stop"}})
    with pytest.raises(Stopped):
        KINDS["identity"](spec(dataset, save_every=100), tmp_path, report)
    assert sorted(report.answered) == ["sample", "save"]
    assert (tmp_path / "run/identities/step-00000001.safetensors").is_file()
    assert (tmp_path / "run/samples/step-00000001-reference.mp4").is_file()


@pytest.mark.slow
def test_compare_draws_every_checkpoint_alike(finished, tmp_path):
    folder, _, _ = finished
    names = ["step-00000002.safetensors", "step-00000008.safetensors"]
    asked = {"job": str(folder), "checkpoints": names, "sound": None, "seconds": 1.0, "preset": "embedded"}
    made = KINDS["compare"](asked, tmp_path, Script())
    assert made["videos"] == ["step-00000002.mp4", "step-00000008.mp4"]
    for name in made["videos"]:
        with av.open(str(tmp_path / "run/samples" / name)) as video:
            assert len(list(video.decode(video=0))) == 25 and video.streams.audio
    with pytest.raises(Stopped):
        KINDS["compare"](asked, tmp_path / "b", Always("stop"))


class Always(Script):
    def __init__(self, command):
        super().__init__()
        self.open = {command}


def test_check_writes_a_verdict_per_clip(dataset, tmp_path):
    report = Script()
    assert KINDS["check"]({"dataset": str(dataset), "preset": "embedded"}, tmp_path, report) == {
        "clips": 3,
        "usable": 2,
    }
    assert report.steps[-1] == (3, 3)
    said = json.loads((dataset / "made/broken.mp4.json").read_text())
    assert not said["usable"] and said["reason"] == "unreadable"
    with pytest.raises(Stopped):
        KINDS["check"]({"dataset": str(dataset)}, tmp_path, Always("pause"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"preset": "debug"}, "cannot be tuned"),
        ({"settings": {"steps": -1}}, "steps: -1 is not between"),
        ({"dataset": "/nowhere"}, "no dataset here"),
    ],
)
def test_bad_jobs_are_told_at_once(dataset, tmp_path, change, says):
    with pytest.raises(InputError, match=says):
        KINDS["identity"](spec(dataset) | change, tmp_path, Script())


def test_clips_that_cannot_be_used_are_told(tmp_path):
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips/a.mp4").write_bytes(b"nothing")
    with pytest.raises(InputError, match="none of 1 clips can be used"):
        KINDS["identity"](spec(people.dataset(tmp_path)), tmp_path / "job", Script())


@pytest.mark.slow
def test_other_clips_before_and_after_training_has_begun(tmp_path):
    """A job whose clips were useless begins again with better ones; one that has learnt refuses others."""
    data = people.dataset(tmp_path / "data", **{"a__mp4": {"begin": 2.0}})
    people.clip(data / "clips/a.mp4", 60)
    with pytest.raises(InputError, match="none of 1 clips can be used"):
        KINDS["identity"](spec(data), tmp_path / "job", Script())
    people.dataset(tmp_path / "data")
    with pytest.raises(Stopped):
        KINDS["identity"](spec(data), tmp_path / "job", Script({1: {"pause"}}))
    people.dataset(tmp_path / "data", **{"a__mp4": {"begin": 0.2}})
    with pytest.raises(InputError, match="duplicate it"):
        KINDS["identity"](spec(data), tmp_path / "job", Script())


def test_a_folder_without_clips_is_said(tmp_path, capsys):
    folder = tmp_path / "clips"
    folder.mkdir()
    (folder / "still.png").write_bytes(b"")
    assert main(["check", str(folder)]) == 2
    assert "holds no clips" in capsys.readouterr().err and sorted(tmp_path.iterdir()) == [folder]
