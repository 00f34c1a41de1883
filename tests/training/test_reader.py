"""The mouth reader's data, losses and degradations."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from echotorrent_core.errors import InputError
from echotorrent_core.metrics.reader import SIZE, MouthReader, load_reader, looks_like_face, read
from echotorrent_core.weights.parts import save_part
from training.data import degrade
from training.loop import Loop, LoopConfig, read_metrics
from training.methods.reader import ReaderData, ReaderMethod, ReaderSettings, contrast, moved, scores


class Dots:
    """Clips of a coloured person whose mouth is a bright dot, larger when open."""

    def __init__(self, count: int = 6, frames: int = 8) -> None:
        rng = np.random.default_rng(0)
        self.colours = rng.integers(20, 120, (count, 3))
        self.open = rng.random((count, frames)).astype(np.float32)
        self.place = rng.uniform(40, 88, (count, frames, 2)).astype(np.float32)

    def __len__(self) -> int:
        return len(self.colours)

    def frames(self, i: int) -> np.ndarray:
        y, x = np.mgrid[0:SIZE, 0:SIZE] + 0.5
        pictures = np.tile(self.colours[i].astype(np.uint8), (*self.open[i].shape, SIZE, SIZE, 1))
        for t, (cx, cy) in enumerate(self.place[i]):
            pictures[t][np.hypot(x - cx, y - cy) < 3 + 12 * self.open[i, t]] = 255
        return pictures

    def labels(self, i: int) -> dict[str, np.ndarray]:
        count = len(self.open[i])
        params = np.stack([self.open[i], np.full(count, 0.5), np.zeros(count), np.zeros(count)], 1)
        box = np.concatenate([self.place[i] - 4, self.place[i] + 4], 1)
        zeros = np.zeros(count, np.float32)
        return {
            "params": params[:-1].astype(np.float32),
            "reference_params": params[-1].astype(np.float32),
            "blink": zeros,
            "pose": np.zeros((count, 5), np.float32),
            "mouth_box": box.astype(np.float32),
        }


def test_model_is_small_enough_to_ship() -> None:
    assert sum(p.numel() for p in MouthReader().parameters()) <= 1_000_000


def test_read_resizes_and_does_not_depend_on_the_batch() -> None:
    reader = MouthReader().eval()
    frames = torch.rand(5, 3, 64, 64) * 2 - 1
    whole, parts = read(reader, frames), read(reader, frames, batch=2)
    assert whole.open.shape == (5,)
    assert torch.allclose(whole.identity.norm(dim=1), torch.ones(5), atol=1e-5)
    for a, b in zip(whole, parts, strict=True):
        assert torch.allclose(a, b, atol=1e-5)
    with pytest.raises(ValueError, match="frames are"):
        read(reader, frames[0])


def test_weights_round_trip(tmp_path) -> None:
    path = tmp_path / "reader.safetensors"
    reader = MouthReader()
    save_part(reader.state_dict(), path, {}, dtype=torch.float32)
    loaded = load_reader(path)
    frames = torch.rand(2, 3, SIZE, SIZE)
    assert torch.equal(read(loaded, frames).open, read(reader.eval(), frames).open)
    assert isinstance(looks_like_face(frames[0], loaded), bool)
    with pytest.raises(InputError, match="not found"):
        load_reader(tmp_path / "none.safetensors")


def test_moved_keeps_the_mouth_centre_on_the_mouth() -> None:
    clips, rng = Dots(), np.random.default_rng(0)
    frames = torch.from_numpy(clips.frames(0)).permute(0, 3, 1, 2).float()
    tracks = torch.zeros(len(frames), 6)
    tracks[:, 2] = 0.3
    tracks[:, 4:6] = torch.from_numpy(clips.place[0]) / SIZE
    for _ in range(5):
        x, y = moved(frames, tracks, rng)
        bright = (x.mean(1) - x.mean(1).flatten(1).min(1).values[:, None, None]).clamp_min(0)
        grid = (torch.arange(SIZE) + 0.5) / SIZE
        centre_x = (bright.sum(1) * grid).sum(1) / bright.sum((1, 2))
        centre_y = (bright.sum(2) * grid).sum(1) / bright.sum((1, 2))
        assert torch.allclose(y[:, 4], centre_x, atol=0.5 / SIZE)
        assert torch.allclose(y[:, 5], centre_y, atol=0.5 / SIZE)
        assert set(y[:, 2].abs().tolist()) == {tracks[0, 2].item()}


def test_contrast_equals_its_definition() -> None:
    torch.manual_seed(0)
    e, labels = F.normalize(torch.randn(6, 4), dim=1), torch.tensor([0, 0, 1, 1, 1, 2])
    terms = []
    for i in range(6):
        same = [j for j in range(6) if j != i and labels[j] == labels[i]]
        every = sum(torch.exp(e[i] @ e[j] / 0.2) for j in range(6) if j != i)
        if same:
            terms.append(-sum(torch.log(torch.exp(e[i] @ e[j] / 0.2) / every) for j in same) / len(same))
    assert torch.allclose(contrast(e, labels, 0.2), torch.stack(terms).mean())


def test_degradations_do_nothing_at_zero_strength_and_grow() -> None:
    rng = np.random.default_rng(0)
    frame = torch.from_numpy(Dots().frames(0)[0]).permute(2, 0, 1).float() / 127.5 - 1
    for change in (degrade.soften, degrade.quantise, degrade.truncate, degrade.grain, degrade.tint):
        none = (change(frame, 0.0, rng) - frame).abs().max()
        weak, strong = ((change(frame, s, rng) - frame).abs().mean() for s in (0.1, 0.9))
        assert none < 1e-3, change.__name__
        assert weak < strong, change.__name__
    basis, _ = degrade.cosine_blocks()
    assert torch.allclose(basis @ basis.T, torch.eye(64), atol=1e-5)


def test_damage_is_graded() -> None:
    frame = torch.from_numpy(Dots().frames(0)[0]).permute(2, 0, 1).float() / 127.5 - 1
    rng = np.random.default_rng(0)
    found = [degrade.damaged(frame, rng) for _ in range(300)]
    error = np.array([float((f - frame).square().mean()) for f, _ in found])
    quality = np.array([q for _, q in found])
    assert quality.min() == 0
    assert 0.9 < quality.max() <= 1
    assert error[quality < 0.3].mean() > 3 * error[quality > 0.7].mean()


def test_scramble_only_moves_blocks() -> None:
    frame = torch.rand(3, 64, 64)
    shuffled = degrade.scramble(frame, 1.0, np.random.default_rng(1))
    assert not torch.equal(shuffled, frame)
    assert torch.allclose(shuffled.flatten().sort().values, frame.flatten().sort().values)


def test_batches_depend_on_the_step_only() -> None:
    settings = ReaderSettings(people=3, views=4)
    one, two = (ReaderData(Dots(), settings).batch(3) for _ in range(2))
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert one["frames"].shape == (12, 3, SIZE, SIZE)
    assert one["frames"].abs().max() <= 1
    assert not torch.equal(one["frames"], ReaderData(Dots(), settings).batch(4)["frames"])


def test_learns_in_a_few_steps(tmp_path) -> None:
    torch.manual_seed(0)
    settings = ReaderSettings(people=4, views=4, damaged=0.1, no_face=0.1)
    method = ReaderMethod(MouthReader((16, 16, 16), 16), settings)
    Loop(method, ReaderData(Dots(), settings), tmp_path, LoopConfig(steps=24, warmup=4, log_every=4)).run()
    logged = list(read_metrics(tmp_path))
    assert logged[-1]["tracks"] < 0.5 * logged[0]["tracks"]
    found = scores(method.roles["student"].module.eval(), Dots(), every=1)  # type: ignore[arg-type]
    assert {"open", "x", "confidence_no_face", "identity_separation"} <= found.keys()
