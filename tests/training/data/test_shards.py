"""The cache: what is made is what it should be, whatever happened on the way."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from echotorrent_core import presets
from echotorrent_core.conditioning.motion import SCALES
from echotorrent_core.errors import InputError
from echotorrent_core.presets import debug
from echotorrent_core.stream import Engine
from echotorrent_core.weights.parts import ASSETS, save_part
from tests.training.data.clip_files import Blocks, picture, speech, write_corpus, write_video
from training.corpus.augment import augment
from training.corpus.build import CorpusReader
from training.data import shards
from training.data.__main__ import main
from training.data.clips import Corpus, VideoFolder
from training.data.encoders import EncoderFiles
from training.data.features import FRAMES, MARGIN, FeatureData
from training.data.shards import Plan, build
from training.data.video import BadClip

FILES = EncoderFiles("debug")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus") / "c", 3)


def plan(corpus, **changes):
    return Plan(Corpus(corpus), FILES, **({"variants": 2, "per_shard": 2, "seed": 3} | changes))


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def load(folder):
    parts = [load_file(path) for path in sorted(folder.glob("*.safetensors"))]
    return {key: torch.cat([part[key] for part in parts]) for key in parts[0] if key != "channel_scale"}


def test_corpus_rows_are_what_the_encoders_make_of_the_clips(corpus, tmp_path):
    """Every column, mirror images included, computed here from the raw clips step by step."""
    index = build(tmp_path / "out", plan(corpus, mirror=True), progress=False)
    found, reader, engine = load(tmp_path / "out"), CorpusReader(corpus), Engine.build(debug())
    expected = [(i, mirrored) for mirrored in (False, True) for i in range(3)]
    assert [(int(row["clip"]), row["mirrored"]) for row in index["rows"]] == expected
    for row, (i, mirrored) in enumerate(expected):
        rng = np.random.default_rng([3, i, mirrored])
        labels, pixels = reader.labels(i), torch.from_numpy(reader.frames(i).copy()).float() / 127.5 - 1
        pixels = pixels.permute(3, 0, 1, 2)[None]
        cells = torch.from_numpy(labels["mouth_mask"][:FRAMES].astype(np.float32) / 255)
        motion = np.concatenate([labels["pose"] - labels["pose"][65], labels["blink"][:, None], labels["gaze"]], 1)[:65]
        motion = np.pad(motion, ((MARGIN, MARGIN), (0, 0)), mode="edge") / np.array(SCALES, np.float32)
        box, ids = labels["mouth_box"].copy(), [1, 6, 12]  # happy, looking left, turned right
        if mirrored:
            gain = rng.uniform(0.85, 1.15) * rng.uniform(0.925, 1.075, 3)
            pixels = ((pixels.flip(-1) + 1) * torch.tensor(gain).float().reshape(1, 3, 1, 1, 1) - 1).clamp(-1, 1)
            cells, motion = cells.flip(-1), motion * (-1, 1, -1, -1, 1, 1, -1, 1)
            box[:, [0, 2]], ids = 32 - box[:, [2, 0]], [1, 7, 11]
        with torch.no_grad():
            latents, reference = (engine.vae.encode(x)[0][0].half() for x in (pixels[:, :, :65], pixels[:, :, 65:]))
        assert torch.equal(found["latents"][row], latents) and torch.equal(found["reference"][row], reference)
        per_latent = torch.stack([cells[0]] + [cells[4 * t - 3 : 4 * t + 1].amax(0) for t in range(1, 17)])
        per_latent = per_latent.unflatten(-1, (4, 4)).unflatten(1, (4, 4)).mean((2, 4))
        torch.testing.assert_close(found["mask"][row].float(), per_latent, atol=1e-3, rtol=0)
        torch.testing.assert_close(found["motion"][row].float(), torch.tensor(motion).float(), atol=1e-2, rtol=1e-3)
        torch.testing.assert_close(found["mouth_box"][row], torch.tensor(box))
        assert found["ids"][row].tolist() == ids and found["domain"][row] == (0, 2)[i % 2]
        sound = reader.audio(i).astype(np.float32) / 32768
        level = np.array([np.sqrt((part**2).mean()) for part in np.split(sound, 97)])
        energy = np.minimum(level[16 : 16 + FRAMES] / np.quantile(level, 0.95), 1)  # the window begins with frame 16
        torch.testing.assert_close(found["energy"][row].float(), torch.tensor(energy).float(), atol=1e-3, rtol=0)
        start, count = engine.audio.window(-MARGIN, FRAMES + 2 * MARGIN)
        for variant, samples in enumerate((sound, augment(sound, rng))):
            with torch.no_grad():
                features = engine.audio.features(torch.from_numpy(samples[10240 + start :][:count])[None])[0]
            assert torch.equal(found["audio"][row, variant], features.half())


def test_batches_are_those_of_one_file_of_stacked_rows(corpus, tmp_path):
    """Spread over shards or in the single file of earlier versions: the same windows."""
    build(tmp_path / "many", plan(corpus), progress=False)
    build(tmp_path / "one", plan(corpus, per_shard=9), progress=False)
    many, one = FeatureData(tmp_path / "many", 2, 0), FeatureData(tmp_path / "one" / "0000.safetensors", 2, 0)
    assert len(many) == len(one) == 3 and torch.equal(many.channel_scale, one.channel_scale)
    for number in range(12):
        a, b = many.batch(number), one.batch(number)
        assert a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_domains_are_drawn_by_their_shares(corpus, tmp_path):
    build(tmp_path / "out", plan(corpus), progress=False)
    data = FeatureData(tmp_path / "out", 40, 0, shares={"singing": 3, "general": 1})
    drawn = torch.cat([data.batch(k)["domain"] for k in range(10)])
    assert set(drawn.tolist()) == {0, 2} and abs((drawn == 2).float().mean() - 0.75) < 0.07
    with pytest.raises(InputError, match="no rows of the domain 'profile'"):
        FeatureData(tmp_path / "out", 4, 0, shares={"profile": 1})


def test_other_processes_make_the_same_bytes(corpus, tmp_path):
    build(tmp_path / "here", plan(corpus, mirror=True), progress=False)
    build(tmp_path / "there", plan(corpus, mirror=True), workers=2, progress=False)
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


def test_a_killed_run_goes_on_and_makes_the_same_bytes(corpus, tmp_path):
    build(tmp_path / "whole", plan(corpus, per_shard=1, mirror=True), progress=False)
    folder = tmp_path / "killed"
    command = [sys.executable, "-m", "training.data", "--corpus", str(corpus), "--out", str(folder), "--preset=debug"]
    command += ["--variants=2", "--seed=3", "--per-shard=1", "--mirror"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    for shard in ("0000", "0003"):  # killed while the one after it is made
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        while not (folder / f"{shard}.safetensors").exists():
            assert process.poll() is None
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        with pytest.raises(InputError, match="shards are not made yet"):
            FeatureData(folder, 2, 0)
    (folder / "0000.safetensors").write_bytes(b"torn")  # and a disk that lost the end of a file
    (folder / ".0004.safetensors.1.tmp").write_bytes(b"half")
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert contents(folder) == contents(tmp_path / "whole")


def test_a_full_disk_loses_nothing(corpus, tmp_path, monkeypatch):
    build(tmp_path / "whole", plan(corpus, per_shard=1), progress=False)
    real, calls = shards.save_file, []

    def full(tensors, path, metadata):
        calls.append(path)
        if len(calls) == 2:
            path.write_bytes(b"the first half")
            raise OSError(28, "No space left on device")
        real(tensors, path, metadata)

    monkeypatch.setattr(shards, "save_file", full)
    with pytest.raises(InputError, match=r"No space left on device.*make room and run the same command again"):
        build(tmp_path / "out", plan(corpus, per_shard=1), progress=False)
    left = contents(tmp_path / "out")
    assert set(left) == {"0000.safetensors", "index.json", "skipped.json"}
    assert left["0000.safetensors"] == (tmp_path / "whole" / "0000.safetensors").read_bytes()
    build(tmp_path / "out", plan(corpus, per_shard=1), progress=False)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_file_that_the_system_cuts_short_is_an_error(corpus, tmp_path):
    """The real thing: the system refuses to write more than 20 kB to a file."""
    import resource

    command = [sys.executable, "-m", "training.data", "--corpus", str(corpus), "--out", str(tmp_path / "out")]
    done = subprocess.run(
        [*command, "--preset=debug", "--variants=2"], capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )  # fmt: skip
    assert done.returncode == 2 and "cannot be written" in done.stderr and "Traceback" not in done.stderr
    assert not list((tmp_path / "out").glob("*.safetensors"))


def test_other_settings_are_refused(corpus, tmp_path):
    build(tmp_path / "out", plan(corpus), progress=False)
    before = contents(tmp_path / "out")
    with pytest.raises(InputError, match=r"made with other settings \(variants; variants: 2 there, 5 now"):
        build(tmp_path / "out", plan(corpus, variants=5), progress=False)
    assert contents(tmp_path / "out") == before


def test_a_corpus_of_another_size_is_refused(tmp_path, capsys):
    """Before any weights are looked for."""
    corpus = write_corpus(tmp_path / "c", 1, size=64)
    for preset, drawn in (("debug", "32 x 32"), ("embedded", "128 x 128")):
        arguments = ["--corpus", str(corpus), "--out", str(tmp_path / "out"), "--preset", preset]
        assert main(arguments) == 2
        said = capsys.readouterr().err
        assert f"'{preset}' draws {drawn} pixels and these clips have 64 x 64" in said and "--size" in said
    assert not (tmp_path / "out").exists()


def test_the_small_preset_takes_a_corpus_of_its_size(tmp_path):
    """With its own codec and the shipped speech encoder, by command."""
    config, parts = presets.embedded_small(), tmp_path / "parts"
    parts.mkdir()
    save_part(Engine.build(config).vae.state_dict(), parts / "vae.safetensors", {})
    shutil.copy(ASSETS / "embedded" / "audio.safetensors", parts)
    corpus = write_corpus(tmp_path / "c", 2, size=64)
    arguments = ["--corpus", str(corpus), "--out", str(tmp_path / "out"), "--preset=embedded_small", "--variants=1"]
    assert main([*arguments, "--weights", str(parts)]) == 0
    rows = load(tmp_path / "out")
    assert rows["latents"].shape == (2, 32, 17, 8, 8) and rows["mask"].shape == (2, 17, 8, 8)
    assert rows["audio"].shape == (2, 1, FRAMES + 2 * MARGIN, config.audio.out_channels)
    data = FeatureData(tmp_path / "out", 2, 0)
    assert data.channel_scale.shape == (32,)
    trunk = Engine.build(config).trunk.config
    assert trunk.out_dim == 32 and data.batch(0)["features"].shape[-1] == trunk.audio.channels


def test_missing_and_damaged_data_are_told(tmp_path):
    with pytest.raises(InputError, match="holds no training data"):
        FeatureData(tmp_path / "nothing", 2, 0)
    (tmp_path / "index.json").write_text("{")
    with pytest.raises(InputError, match="damaged"):
        FeatureData(tmp_path, 2, 0)
    (tmp_path / "file.safetensors").write_bytes(b"no")
    with pytest.raises(InputError, match="not a readable shard"):
        FeatureData(tmp_path / "file.safetensors", 2, 0)


# Videos


@pytest.fixture
def videos(tmp_path):
    folder = tmp_path / "videos"
    for name, first in (("a.mkv", 0), ("c.mkv", 100), ("singing/d.mkv", 50)):
        write_video(folder / name, (picture(first + k) for k in range(40)), speech(1.6))
    (folder / "b.mp4").write_bytes(b"not a video")
    return folder


def video_plan(folder, **changes):
    config = debug()
    source = VideoFolder(folder, config.size, config.vae.space_stride, 17, Blocks())
    return Plan(source, FILES, **({"variants": 2, "per_shard": 2} | changes))


def test_one_bad_clip_among_good_ones_is_skipped_and_listed(videos, tmp_path):
    index = build(tmp_path / "out", video_plan(videos, keep_frames=True, mirror=True), progress=False)
    assert [row["clip"] for row in index["rows"]] == ["a.mkv"] * 2 + ["c.mkv"] * 2 + ["singing/d.mkv"] * 2 + [
        "a.mkv", "a.mkv", "c.mkv", "c.mkv", "singing/d.mkv", "singing/d.mkv",
    ]  # fmt: skip
    assert {row["domain"] for row in index["rows"]} == {"general", "singing"}
    (skipped,) = json.loads((tmp_path / "out" / "skipped.json").read_text())
    assert skipped["clip"] == "b.mp4" and "cannot be opened" in skipped["reason"]

    rows = load(tmp_path / "out")
    assert rows["latents"].shape == (12, 4, 5, 4, 4) and rows["audio"].shape[:3] == (12, 2, 21)
    assert rows["motion"].shape == (12, 21, 8) and rows["frames"].shape == (12, 18, 32, 32, 3)
    for row, said in enumerate(index["rows"][:6]):  # what was kept is what was encoded, and where the index says
        first = {"a": 0, "c": 100, "s": 50}[said["clip"][0]] + said["start"]
        assert rows["frames"][row, :17, 0, 0, 1].tolist() == list(range(first, first + 17))
    assert torch.equal(rows["frames"][6, 3, :, :, 0] > 200, rows["frames"][0, 3, :, :, 0].flip(-1) > 200)
    batch = FeatureData(tmp_path / "out", 3, 0, short=4, long=4).batch(0)
    assert batch["latents"].shape == (3, 4, 4, 4, 4) and bool(torch.isfinite(batch["features"]).all())


def test_clips_that_come_later_are_added(videos, tmp_path):
    late = (videos / "c.mkv").rename(tmp_path / "c.mkv")
    build(tmp_path / "out", video_plan(videos), progress=False)
    before = contents(tmp_path / "out")
    late.rename(videos / "c.mkv")
    index = build(tmp_path / "out", video_plan(videos), progress=False)
    after = contents(tmp_path / "out")
    assert all(after[name] == data for name, data in before.items() if name.endswith(".safetensors"))
    assert [row["clip"] for row in index["rows"]][-1] == "c.mkv" and len(index["rows"]) == 6


def test_the_command_tells_of_folders_without_a_usable_clip(videos, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(
        "training.data.__main__.MediaPipe", lambda model: type("F", (Blocks,), {"check": lambda s: None})()
    )
    (tmp_path / "empty").mkdir()
    base = ["--preset", "debug", "--latents", "5", "--variants", "1", "--landmarks", "face.task"]
    assert main(["--clips", str(tmp_path / "empty"), "--out", str(tmp_path / "o"), *base]) == 2
    assert "holds no videos" in capsys.readouterr().err and not (tmp_path / "o" / "index.json").exists()
    (tmp_path / "empty" / "x.mp4").write_bytes(b"x")
    assert main(["--clips", str(tmp_path / "empty"), "--out", str(tmp_path / "o"), *base]) == 2
    assert "none of 1 clips can be used" in capsys.readouterr().err
    assert main(["--clips", str(videos), "--out", str(tmp_path / "p"), *base[:-2]]) == 2
    assert "--landmarks FILE" in capsys.readouterr().err
    assert main(["--corpus", str(tmp_path / "empty"), "--out", str(tmp_path / "p"), *base[:-2]]) == 2
    assert "holds no corpus" in capsys.readouterr().err
    assert main(["--clips", str(videos), "--out", str(tmp_path / "p"), *base]) == 0
    assert "6 rows of 3 clips" in capsys.readouterr().out


def test_a_clip_that_fails_half_way_leaves_no_rows(corpus, tmp_path):
    """And none of its tensors either: the rows of the others stay beside their own."""

    class Fails(Corpus):
        def clip(self, name):
            found = super().clip(name)

            def windows():
                yield from found.windows
                if name == "000001":
                    raise BadClip("gave fewer pictures the second time it was read")

            return dataclasses.replace(found, windows=windows())

    build(tmp_path / "whole", plan(corpus, per_shard=3), progress=False)
    index = build(
        tmp_path / "out", dataclasses.replace(plan(corpus, per_shard=3), source=Fails(corpus)), progress=False
    )
    assert [row["clip"] for row in index["rows"]] == ["000000", "000002"]
    whole, found = load(tmp_path / "whole"), load(tmp_path / "out")
    assert all(torch.equal(found[key], whole[key][[0, 2]]) for key in whole)
