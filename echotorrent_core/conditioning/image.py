"""Does a picture look like a portrait?"""
from __future__ import annotations
from torch import Tensor


def looks_like_face(image: Tensor) -> bool:
    return True
