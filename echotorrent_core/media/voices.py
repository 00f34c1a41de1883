"""Several voices at once: what each says side by side, and their sounds together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from .read import AudioBlock


def mix(voices: Sequence[Iterable[AudioBlock]]) -> Iterator[AudioBlock]:
    """The blocks of S voices that begin together: mono (S, n), or (n,) of one voice; sound (2, ratio * n), their sum,
    clipped. A voice that has ended is silent until the last one ends."""
    if len(voices) == 1:
        yield from voices[0]
        return
    sources = [iter(voice) for voice in voices]
    held = [next(source, None) for source in sources]
    while heard := [block for block in held if block is not None]:
        n = min(len(block.mono) for block in heard)
        ratio = heard[0].sound.shape[1] // len(heard[0].mono)
        silence = np.zeros(n, np.float32)
        mono = np.stack([silence if block is None else block.mono[:n] for block in held])
        sound = np.sum([block.sound[:, : n * ratio] for block in heard], axis=0)
        yield AudioBlock(mono, np.clip(sound, -1.0, 1.0))
        held = [
            None if block is None else _after(block, n, ratio) or next(source, None)
            for block, source in zip(held, sources, strict=True)
        ]


def _after(block: AudioBlock, n: int, ratio: int) -> AudioBlock | None:
    """What is left of a block behind its first n samples."""
    return AudioBlock(block.mono[n:], block.sound[:, n * ratio :]) if n < len(block.mono) else None
