"""The procedural talking head: determinism, what the controls do, and the restartable corpus build."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("skia", exc_type=ImportError)  # installed, but libEGL may be missing on a slim machine

from echotorrent_core.errors import InputError
from training.corpus import build as corpus
from training.corpus.controls import Controls
from training.corpus.head import FaceMesh, mouth_numbers
from training.corpus.identity import identity_seed, make_identity
from training.corpus.motion import blink_track, random_motion, smooth_noise
from training.corpus.render import Renderer, polygon_mask, render_frame

TALK = Controls(yaw=0.1, open=0.5, wide=0.7, teeth=0.5, tongue=0.3)


def digest(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.glob("*.np?"))}


def test_same_seed_same_bytes_whatever_was_drawn_before():
    first = Renderer(make_identity(3)).render(TALK)
    other = Renderer(make_identity(3))
    other.render(Controls(open=1.0, yaw=-0.5))
    again = other.render(TALK)
    assert np.array_equal(first.image, again.image) and np.array_equal(first.mouth, again.mouth)
    assert first.image.shape == (128, 128, 3) and first.image.dtype == np.uint8
    assert not np.array_equal(first.image, render_frame(make_identity(4), TALK).image)


@pytest.mark.parametrize("number", [0, 3, 7, 13])
def test_opening_grows_the_mouth(number):
    renderer = Renderer(make_identity(number))
    shut = renderer.render(Controls()).image.astype(int)
    areas, heights = [], []
    for opening in (0.0, 0.25, 0.5, 0.75, 1.0):
        frame = renderer.render(Controls(open=opening))
        areas.append(int((polygon_mask(frame.mouth, 128) > 127).sum()))
        heights.append(float(np.ptp(frame.mouth[:, 1])))
    assert areas == sorted(areas) and areas[-1] > 2 * areas[0]
    assert heights[-1] - heights[0] >= 16  # pixels
    interior = np.abs(renderer.render(Controls(open=1.0)).image.astype(int) - shut).max(2) > 60
    assert interior.sum() > 250


def test_mouth_width_follows_wide():
    renderer = Renderer(make_identity(0))
    widths = [float(np.ptp(renderer.render(Controls(wide=w)).mouth[:, 0])) for w in (0.0, 0.5, 1.0)]
    assert widths[0] < 22 and widths[1] >= 30 and widths[2] > widths[1] + 5


def test_every_mouth_parameter_changes_the_picture_inside_the_mouth_only_for_teeth_and_tongue():
    renderer = Renderer(make_identity(5))
    base = renderer.render(replace(TALK, yaw=0.0))
    for change in ({"teeth": 1.0}, {"tongue": 1.0}):
        changed = renderer.render(replace(TALK, yaw=0.0, **change)).image
        where = np.abs(changed.astype(int) - base.image.astype(int)).max(2) > 8
        mask = polygon_mask(base.mouth, 128) > 0
        assert where.sum() > 10 and not (where & ~mask).any()
    closed = renderer.render(Controls()).image
    assert np.array_equal(closed, renderer.render(Controls(teeth=1.0, tongue=1.0)).image)


@pytest.mark.parametrize("yaw", [0.0, 0.4, -0.4])
def test_mask_covers_what_the_mouth_changes(yaw):
    """Recolouring the lips touches only pixels that the polygon (one pixel grown) covers."""
    identity = make_identity(1)
    controls = Controls(yaw=yaw, open=0.4, wide=0.6)
    frame = render_frame(identity, controls)
    plain = render_frame(replace(identity, lip=(20, 200, 40)), controls).image
    changed = np.abs(plain.astype(int) - frame.image.astype(int)).max(2) > 24
    ys, xs = np.nonzero(changed)
    x0, y0 = frame.mouth.min(0) - 1.5
    x1, y1 = frame.mouth.max(0) + 1.5
    assert len(xs) > 80
    assert x0 <= xs.min() and xs.max() <= x1 and y0 <= ys.min() and ys.max() <= y1
    covered = polygon_mask(frame.mouth, 128) > 0
    assert (changed & covered).sum() > 0.9 * changed.sum()


@pytest.mark.parametrize("number", [0, 5, 11])
def test_every_size_shows_the_same_picture(number):
    """Outlines, glasses, brows and lips are as wide as the head asks for, not as many pixels: 64 px show what 128 px
    show at half the size, the mouth included."""
    identity = replace(make_identity(number), glasses="round", earrings=True)
    small, large = (Renderer(identity, size).render(TALK) for size in (64, 128))
    halved = large.image.astype(float).reshape(64, 2, 64, 2, 3).mean((1, 3))
    off = np.abs(small.image - halved)
    assert off.mean() < 1.3 and (off.max(2) > 24).mean() < 0.02  # edges of meshes have fewer samples
    np.testing.assert_allclose(2 * small.mouth, large.mouth, atol=1e-3)
    cells = [polygon_mask(frame.mouth, size, 16).astype(int) for frame, size in ((small, 64), (large, 128))]
    assert np.abs(cells[0] - cells[1]).max() < 10 and cells[0].max() > 200


def test_cells_average_the_mask():
    square = np.array([[8, 16], [24, 16], [24, 32], [8, 32]], float)
    cells = polygon_mask(square, 128, 16)
    assert cells.shape == (16, 16) and (cells[2:4, 1:3] == 255).all() and cells.sum() == 4 * 255


def test_profile_moves_the_nose_tip_and_hides_half_the_mouth():
    from training.corpus.head import Camera

    identity = make_identity(2)
    mesh = FaceMesh(identity)
    points, _, _ = mesh.deform(mouth_numbers(identity, Controls()), 0.0)
    tip = points.reshape(-1, 3)[points.reshape(-1, 3)[:, 2].argmax()]

    def nose_x(yaw: float) -> float:
        camera = Camera(Controls(yaw=yaw), 128)
        return float(camera.project(camera.turn(tip[None]))[0, 0])

    assert abs(nose_x(0.0) - 64) < 3
    assert nose_x(1.0) > nose_x(0.5) + 10 > nose_x(0.0) + 20
    assert nose_x(-1.0) < 64 - 20
    width = [float(np.ptp(render_frame(identity, Controls(yaw=y)).mouth[:, 0])) for y in (0.0, 1.1)]
    assert width[1] < 0.72 * width[0]


def test_train_and_heldout_people_never_meet():
    train = {identity_seed(n, "train") for n in range(3000)}
    heldout = {identity_seed(n, "heldout") for n in range(3000)}
    assert not train & heldout
    with pytest.raises(ValueError, match="split"):
        identity_seed(1, "test")


def test_motion_is_small_smooth_and_named_by_its_prompt():
    rng = np.random.default_rng(0)
    noise = np.concatenate([smooth_noise(rng, 65, 1.5) for _ in range(200)])
    assert noise.std() == pytest.approx(1.0, abs=0.15)
    motions = [random_motion(np.random.default_rng(i), 65) for i in range(200)]
    plain = [m for m in motions if m.manner.prompt == "neutral, looking at the camera, head straight"]
    assert 0.5 < len(plain) / len(motions) < 0.75
    assert np.mean([np.abs(m.pose[:, 0]).mean() for m in plain]) < 0.06
    assert max(np.abs(np.diff(m.pose[:, 0])).max() for m in plain) < 0.03
    profiles = [random_motion(np.random.default_rng(i), 65, profile=True) for i in range(30)]
    assert all(0.35 < abs(m.pose[:, 0].mean()) < 1.35 for m in profiles)
    assert all(("left" in m.manner.turn) == (m.pose[:, 0].mean() < 0) for m in profiles)


def test_blinks_last_150_to_250_ms():
    for seed in range(40):
        closed = blink_track(np.random.default_rng(seed), 250) > 0
        edges = np.flatnonzero(np.diff(np.concatenate([[0], closed, [0]])))
        lengths = (edges[1::2] - edges[::2])[1:-1]  # blinks cut by the clip's ends are shorter
        assert ((lengths >= 3) & (lengths <= 7)).all()


def test_domains_follow_the_mix_in_every_shard():
    mix = {"general": 40 / 60, "profile": 8 / 60, "singing": 6 / 60, "rare": 6 / 60}
    clips = [c for shard in (0, 1) for c in corpus.shard_clips(shard, 60, "heldout", mix)]
    assert [c.index for c in clips] == list(range(60))
    assert {d: sum(c.domain == d for c in clips) for d in mix} == {"general": 40, "profile": 8, "singing": 6, "rare": 6}
    with pytest.raises(ValueError, match="name=share"):
        corpus.parse_mix("general")
    with pytest.raises(ValueError, match="profile"):
        corpus.parse_mix("sideways=1")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    pytest.importorskip("espeakng_loader")
    folder = tmp_path_factory.mktemp("corpus")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "SHARD", 1)
        corpus.build(folder, clips=2, mix={"general": 1.0}, workers=1, size=64, progress=False)
    return folder


def test_clip_layout(tiny):
    reader = corpus.CorpusReader(tiny)
    assert len(reader) == 2
    labels = reader.labels(0)
    assert reader.frames(0).shape == (66, 64, 64, 3) and reader.audio(0).shape == (65 * 640 + 2 * 10240,)
    assert labels["params"].shape == (65, 4) and labels["params"].min() >= 0 and labels["params"].max() <= 1
    assert labels["mouth_box"].shape == (66, 4) and labels["mouth_mask"].shape == (66, 16, 16)
    mask, places = labels["mouth_mask"].astype(float), (np.arange(16) + 0.5) * 64 / 16
    centre = [(mask.sum(axis) * places).sum(1) / mask.sum((1, 2)) for axis in (1, 2)]
    np.testing.assert_allclose(
        np.stack(centre, 1), (labels["mouth_box"][:, :2] + labels["mouth_box"][:, 2:]) / 2, atol=2
    )
    assert labels["pose"].shape == (66, 5) and labels["closures"].dtype == bool
    assert (labels["params"][labels["closures"], 0] < 0.02).all()
    assert "head straight" in str(labels["prompt"]) or "head turned" in str(labels["prompt"])


def test_silent_clips_keep_the_mouth_shut(monkeypatch):
    monkeypatch.setattr(corpus, "SILENT_SHARE", 1.1)
    script = corpus.write_script(corpus.Clip(5, "train", "general"))
    assert script.voice == "silence" and not script.params[:65, 0].any() and np.abs(script.audio).max() < 500


def test_build_resumes_and_other_settings_are_refused(tiny, monkeypatch):
    monkeypatch.setattr(corpus, "SHARD", 1)
    before = digest(tiny)
    kept = tiny / "frames_0000.npy"
    stamp = kept.stat().st_mtime_ns
    (tiny / "labels_0001.npz").unlink()  # as after an interruption
    corpus.build(tiny, clips=2, mix={"general": 1.0}, workers=1, size=64, progress=False)
    assert digest(tiny) == before and kept.stat().st_mtime_ns == stamp
    assert [s["shard"] for s in json.loads((tiny / "index.json").read_text())["shards"]] == [0, 1]
    with pytest.raises(ValueError, match="another"):
        corpus.build(tiny, split="heldout", clips=2, mix={"general": 1.0}, workers=1, size=64, progress=False)
    with pytest.raises(ValueError, match="no corpus"):
        corpus.CorpusReader(tiny / "nowhere")


def test_the_command_renders_at_the_size_it_is_told(tmp_path, capsys):
    pytest.importorskip("espeakng_loader")
    where = ["--clips=1", "--workers=0", "--domain-mix=general=1", "--out", str(tmp_path)]
    assert corpus.main(["--size=32", *where]) == 0
    assert corpus.CorpusReader(tmp_path).frames(0).shape == (66, 32, 32, 3)
    assert corpus.main(["--size=48", *where]) == 2 and "another size" in capsys.readouterr().err
    assert corpus.main(["--size=72", *where]) == 2 and "a multiple of 16 pixels" in capsys.readouterr().err
    folders = {corpus.corpus_folder("train", size) for size in (64, 128)}
    assert len(folders) == 2 and corpus.corpus_folder("train") in folders  # sizes do not share a cache


def test_a_full_disk_keeps_what_is_whole(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "SHARD", 1)
    real, calls = np.save, []

    def full(file, array):
        calls.append(file)
        if len(calls) == 4:  # the sound of the second shard
            file.write(b"the first half")
            raise OSError(28, "No space left on device")
        real(file, array)

    settings = {"clips": 2, "mix": {"general": 1.0}, "workers": 1, "size": 64, "progress": False}
    with monkeypatch.context() as patch:
        patch.setattr(np, "save", full)
        with pytest.raises(InputError, match=r"No space left on device.*run the same command again"):
            corpus.build(tmp_path, **settings)
    assert not list(tmp_path.glob(".*.tmp")) and len(corpus.CorpusReader(tmp_path)) == 1
    (tmp_path / ".frames_0001.npy.1.tmp").write_bytes(b"of a killed run")
    corpus.build(tmp_path, **settings)
    assert digest(tmp_path) == digest(tiny) and not list(tmp_path.glob(".*.tmp"))


def test_worker_processes_do_not_change_bytes(tmp_path):
    pytest.importorskip("espeakng_loader")
    alone, pool = tmp_path / "alone", tmp_path / "pool"
    mix = {"general": 0.5, "profile": 0.5}
    corpus.build(alone, clips=2, mix=mix, workers=1, size=64, progress=False)
    corpus.build(pool, clips=2, mix=mix, workers=2, size=64, progress=False)
    assert digest(alone) == digest(pool)


def test_committed_portraits_are_what_the_command_renders():
    from PIL import Image

    import echotorrent_core
    from training.corpus.demo_assets import PEOPLE, portrait

    folder = Path(echotorrent_core.__file__).parent / "assets" / "portraits"
    files = sorted(folder.glob("*.png"))
    assert [f.stem for f in files] == sorted(PEOPLE) and all(f.stat().st_size < 200_000 for f in files)
    stored = np.asarray(Image.open(folder / "ana.png")).astype(int)
    assert np.abs(stored - portrait(PEOPLE["ana"])).mean() < 0.5
