"""Small text conditioning: a prompt becomes three words, expression, gaze and head turn, from a learned table.

Larger families bring umT5; this is the embedded model's own encoder. Unknown words are ignored, what a prompt does
not say stays at its default.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..config import TextConfig

EXPRESSIONS = ("neutral", "happy", "sad", "angry", "surprised")
GAZES = ("camera", "left", "right", "up", "down")
TURNS = ("straight", "left", "right")
VOCABULARY = tuple(
    [f"expression:{w}" for w in EXPRESSIONS] + [f"gaze:{w}" for w in GAZES] + [f"head:{w}" for w in TURNS]
)

_EXPRESSION_STEMS = {
    "happy": ("happ", "smil", "joy", "cheer", "laugh", "grin", "friendly", "warm", "delight"),
    "sad": ("sad", "unhapp", "sorrow", "melanchol", "depress", "gloom", "cry"),
    "angry": ("ang", "furious", "mad", "annoy", "rage", "frown", "stern"),
    "surprised": ("surpris", "amaz", "astonish", "shock", "excit"),
    "neutral": ("neutral", "calm", "serious", "relax"),
}
_GAZE_STEMS = ("look", "gaz", "eye", "glanc", "star")
_HEAD_STEMS = ("head", "face", "turn", "profile")
_DIRECTIONS = {"left": "left", "right": "right", "up": "up", "upward": "up", "upwards": "up", "above": "up"} | {
    "down": "down",
    "downward": "down",
    "downwards": "down",
    "camera": "camera",
    "viewer": "camera",
    "straight": "straight",
    "forward": "straight",
    "ahead": "straight",
}


@dataclass(frozen=True)
class Prompt:
    """What a prompt says, in the words of the table."""

    expression: str = "neutral"
    gaze: str = "camera"
    head: str = "straight"

    def ids(self) -> list[int]:
        words = (f"expression:{self.expression}", f"gaze:{self.gaze}", f"head:{self.head}")
        return [VOCABULARY.index(word) for word in words]


def parse_prompt(text: str) -> Prompt:
    """Read expression, gaze and head turn from free text; a direction belongs to the nearest subject before it."""
    found: dict[str, str] = {}
    subject = "gaze"
    for word in re.findall(r"[a-z]+", text.lower()):
        if word.startswith(_GAZE_STEMS):
            subject = "gaze"
        elif word.startswith(_HEAD_STEMS):
            subject = "head"
        direction = _DIRECTIONS.get(word)
        if direction in TURNS and subject == "head":
            found["head"] = direction
        elif direction is not None and subject == "gaze":
            found["gaze"] = "camera" if direction == "straight" else direction
        for expression, stems in _EXPRESSION_STEMS.items():
            if word.startswith(stems):
                found.setdefault("expression", expression)
    return Prompt(**found)


class WordEncoder(nn.Module):
    """Learned table of the vocabulary; ids (B, W) -> features (B, W, dim)."""

    def __init__(self, config: TextConfig):
        super().__init__()
        self.table = nn.Embedding(len(VOCABULARY), config.dim)

    def forward(self, ids: Tensor) -> Tensor:
        return self.table(ids)

    def encode(self, prompt: str) -> Tensor:
        """Features (1, 3, dim) of a prompt."""
        return self(torch.tensor([parse_prompt(prompt).ids()], device=self.table.weight.device))
