"""A folder of videos from end to end: the corpus' own clips as films among bad ones, and a run that is killed."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from echotorrent_core.presets import embedded
from tests.training.data.clip_files import Blocks, ReadFaces, picture, speech, write_video
from training.data.clips import Corpus, VideoFolder
from training.data.encoders import EncoderFiles
from training.data.features import FeatureData
from training.data.shards import Plan, build

FRAMES = 33  # of a window


def film(path, clip, count=65):
    """A clip of the corpus as people have them: H.264 and AAC."""
    pictures, sound, margin = clip
    return write_video(path, pictures[:count], sound[margin:][: count * 640])


@pytest.fixture(scope="module")
def talking(tmp_path_factory):
    """A corpus of one rendered clip, and (pictures, sound, sample at which they begin)."""
    pytest.importorskip("skia", exc_type=ImportError)
    pytest.importorskip("espeakng_loader")
    from training.corpus.build import build as render

    folder = tmp_path_factory.mktemp("corpus")
    source = Corpus(render(folder, "heldout", 1, {"general": 1.0}, workers=0, progress=False))
    clip = source.clip("000000")
    (window,) = clip.windows
    return source, (window.frames, clip.sound, window.begin)


def test_films_of_the_corpus_make_the_corpus_rows_and_bad_ones_are_listed(talking, tmp_path):
    source, clip = talking
    videos, (pictures, sound, begin) = tmp_path / "videos", clip
    film(videos / "good.mp4", clip)
    whole = film(videos / "cut_off.mp4", clip).read_bytes()
    (videos / "cut_off.mp4").write_bytes(whole[: len(whole) // 2])
    write_video(videos / "silent.mp4", pictures[:65], 1e-4 * sound[begin:][: 65 * 640])
    write_video(videos / "faceless.mp4", [np.roll(frame[::-1], 40, axis=1) for frame in pictures[:65]], sound[begin:])
    write_video(videos / "short_sound.mp4", pictures[:65], sound[begin:][: 20 * 640])
    film(videos / "short.mp4", clip, count=30)
    (videos / "notes.txt").write_text("no video")

    preset = EncoderFiles("embedded")
    folder = VideoFolder(videos, embedded().size, 8, FRAMES, ReadFaces())
    index = build(tmp_path / "films", Plan(folder, preset, variants=1), progress=False)
    assert [(row["clip"], row["start"]) for row in index["rows"]] == [("good.mp4", 0)]
    skipped = {one["clip"]: one["reason"] for one in json.loads((tmp_path / "films" / "skipped.json").read_text())}
    assert skipped.keys() == {"cut_off.mp4", "silent.mp4", "faceless.mp4", "short_sound.mp4", "short.mp4"}
    for name, reason in (
        ("cut_off", "cannot be opened as a video"),
        ("silent", "is silent"),
        ("faceless", "shows no frame with one face"),
        ("short_sound", "its sound lasts 0.8"),
        ("short", "lasts 1.20 s, a window and a reference beside it need 1.36 s"),
    ):
        assert reason in skipped[f"{name}.mp4"], skipped
    assert not any(str(videos) in reason for reason in skipped.values())  # they are told apart by name already

    build(tmp_path / "corpus", Plan(source, preset, variants=1), progress=False)
    films, corpus = (FeatureData(tmp_path / name, 1, 0).columns for name in ("films", "corpus"))
    for name, most in (("latents", 0.05), ("audio", 0.1), ("energy", 0.1)):
        found, true = films[name][0].float(), corpus[name][0].float()
        true = true[:, : found.shape[1]] if name != "energy" else true[: len(found)]
        if name == "audio":  # behind the window the film's sound goes on, in front of it there is none
            found, true = found[:, 8:-8], true[:, 8:-8]
        assert (found - true).square().mean() < most * true.var(), name
    found = films["mask"][0].float()
    true = corpus["mask"][0].float()[: len(found)]
    assert true[found < 0.1].sum() < 0.05 * true.sum() and found.sum() < 4 * true.sum()  # dilated: covers the mouth
    yaw, turned = films["motion"][0].float()[:, 0], corpus["motion"][0].float()[: FRAMES + 4, 0]
    assert (yaw - yaw.mean() - turned + turned.mean()).abs().max() < 0.5  # normalised; references differ


CODE = """
import os, signal, sys
from pathlib import Path
from tests.training.data.test_video_folder import blocks_plan
from training.data import shards

real, made = shards.save_file, []

def save(tensors, path, metadata):
    made.append(path)
    if len(made) == 3:
        path.write_bytes(b"the first half")
        os.kill(os.getpid(), signal.SIGKILL)
    real(tensors, path, metadata)

shards.save_file = save
shards.build(Path(sys.argv[2]), blocks_plan(Path(sys.argv[1])), progress=False)
"""


def blocks_plan(videos):
    return Plan(VideoFolder(videos, (32, 32), 8, 17, Blocks()), EncoderFiles("debug"), variants=2, per_shard=1)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_killed_run_goes_on_and_makes_the_same_bytes(tmp_path):
    """In the middle of a file, behind a clip that was skipped, whose shard is empty."""
    videos = tmp_path / "videos"
    for number in range(4):
        write_video(videos / f"{number}.mkv", (picture(40 * number + k) for k in range(40)), speech(1.6))
    (videos / "1b.mkv").write_bytes(b"not a video")
    build(tmp_path / "whole", blocks_plan(videos), progress=False)
    folder = tmp_path / "killed"
    command = [sys.executable, "-c", CODE, str(videos), str(folder)]
    assert subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}).returncode == -signal.SIGKILL
    left = contents(folder)
    assert [name for name in left if name.endswith(".safetensors")] == ["0000.safetensors", "0001.safetensors"]
    assert any(name.endswith(".tmp") for name in left) and not json.loads(left["index.json"])["complete"]
    index = build(folder, blocks_plan(videos), progress=False)
    assert contents(folder) == contents(tmp_path / "whole") and index["complete"]
    assert len(FeatureData(folder, 2, 0)) == 8
