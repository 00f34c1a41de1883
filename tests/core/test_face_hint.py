"""The portrait warning: faces pass, plain pictures, gradients and noise do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

import echotorrent_core
from echotorrent_core.conditioning.image import face_score, looks_like_face

PORTRAITS = sorted(Path(echotorrent_core.__file__).parent.glob("assets/**/*.png"))


def tensor(picture: object) -> torch.Tensor:
    return torch.from_numpy(np.array(picture, dtype=np.float32)).permute(2, 0, 1) / 127.5 - 1


def drawn_face(
    skin: tuple[int, int, int], behind: tuple[int, int, int], shift: int = 0, size: int = 192
) -> Image.Image:
    picture = Image.new("RGB", (256, 256), behind)
    draw = ImageDraw.Draw(picture)

    def oval(x: float, y: float, w: float, h: float, colour: object) -> None:
        x, y, w, h = (v * size / 192 for v in (x, y, w, h))
        draw.ellipse((128 + shift + x - w, 128 + y - h, 128 + shift + x + w, 128 + y + h), fill=colour)

    oval(0, 0, 72, 92, skin)
    for side in (-1, 1):
        oval(side * 28, -14, 13, 8, (240, 240, 240))
        oval(side * 28, -14, 7, 7, (40, 30, 30))
        oval(side * 28, -32, 15, 3, (50, 40, 30))
    oval(0, 44, 24, 8, (170, 60, 60))
    oval(0, 44, 16, 3, (60, 10, 10))
    return picture


@pytest.mark.parametrize("skin", [(240, 200, 170), (150, 100, 70), (80, 50, 35)])
@pytest.mark.parametrize("behind", [(230, 230, 230), (60, 90, 140), (10, 10, 10)])
@pytest.mark.parametrize(("shift", "size"), [(0, 192), (14, 192), (0, 150)])
def test_faces_pass(skin: tuple[int, int, int], behind: tuple[int, int, int], shift: int, size: int) -> None:
    assert looks_like_face(tensor(drawn_face(skin, behind, shift, size)))


@pytest.mark.skipif(not PORTRAITS, reason="no portraits shipped yet")
@pytest.mark.parametrize("path", PORTRAITS, ids=lambda p: p.name)
def test_shipped_portraits_pass(path: Path) -> None:
    assert looks_like_face(tensor(Image.open(path).convert("RGB")))


def test_pictures_without_structure_fail() -> None:
    y, x = np.mgrid[:128, :128]
    rng = np.random.default_rng(0)
    hill = np.where(y[..., None] > 70 + 15 * np.sin(x[..., None] / 17), [60, 120, 50], [120, 170, 230])
    pictures = {
        "plain": np.full((128, 128, 3), 99),
        "across": np.repeat(x[..., None] * 2, 3, -1),
        "down": np.repeat(y[..., None] * 2, 3, -1),
        "stripes": np.repeat((x[..., None] // 8 % 2) * 255, 3, -1),
        "hill": hill,
        **{f"noise {i}": rng.integers(0, 256, (128, 128, 3)) for i in range(5)},
    }
    for name, picture in pictures.items():
        assert not looks_like_face(tensor(picture)), (name, face_score(tensor(picture)))
