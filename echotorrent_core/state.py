"""Everything a stream carries from chunk to chunk, and how it is saved.

Dimensions: B batch (1), C latent channels, T latents, h x w latent grid, S speakers, L text tokens.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from .errors import InputError
from .files import move
from .model.history import KV, History

if TYPE_CHECKING:
    from .stream import AudioSource, Engine


@dataclass(frozen=True)
class Conditioning:
    """What stays the same from chunk to chunk.

    reference: latents (1, C, 1, h, w) of the `picture` (1, 3, 1, H, W); start: latents (1, C, T, h, w) that stand
    beside the noisy ones of a video's first chunk, None where the reference stands beside all; text, negative: features
    (1, L, dim) of the prompt and of the negative one; image: CLIP tokens (1, 257, dim); speakers: masks (3, n).
    """

    prompt: str
    picture: Tensor
    reference: Tensor
    text: Tensor
    start: Tensor | None = None
    negative: Tensor | None = None
    image: Tensor | None = None
    speakers: Tensor | None = None

    @property
    def condition(self) -> Tensor:
        """Latents beside the noisy ones, as `condition_channels` takes them."""
        return self.reference if self.start is None else self.start

    def tensors(self) -> dict[str, Tensor]:
        """The tensors it has, by field name."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Tensor)}


@dataclass
class StreamState:
    """Everything a stream carries from chunk to chunk. Belongs to one stream; `Engine.step` uses it up."""

    conditioning: Conditioning
    generator: torch.Generator
    history: History
    audio: tuple[AudioSource, ...]  # one per speaker
    sink: Tensor  # latents the sink was made from
    sink_kv: list[KV]  # follows from `sink`; not saved
    vae: dict[str, Tensor] | None = None  # the decoder's cache, where chunks go on from one another
    lead: Tensor | None = None  # clean latents that the next window begins with, in window mode
    motion: Tensor | None = None
    motion_ahead: Tensor | None = None  # motion features already drawn for the next chunk's window
    chunk: int = 0
    frames: int = 0
    extra: dict[str, str] = field(default_factory=dict)  # small strings of the owner (session), saved along

    @property
    def speakers(self) -> int:
        """How many voices the stream listens to."""
        return len(self.audio)

    def save(self, path: Path) -> None:
        """Write the state to a safetensors file, atomically and durably."""
        sink = None if self.sink is self.conditioning.reference else self.sink
        loose = {"sink": sink, "lead": self.lead, "motion": self.motion, "motion_ahead": self.motion_ahead}
        groups = {
            "conditioning": self.conditioning.tensors(),
            "history": self.history.tensors(),
            "vae": self.vae or {},
            **{f"audio{i}": stream.tensors() for i, stream in enumerate(self.audio)},
            "stream": {"generator": self.generator.get_state()}
            | {name: value for name, value in loose.items() if value is not None},
        }
        numbers = {"chunk": self.chunk, "frames": self.frames, "written": self.history.written}
        metadata = {"numbers": json.dumps(numbers), "prompt": self.conditioning.prompt}
        temporary = Path(f"{path}.tmp")
        save_file(
            {
                f"{group}.{key}": value.detach().cpu().contiguous()
                for group, values in groups.items()
                for key, value in values.items()
            },
            temporary,
            metadata | {f"extra.{key}": value for key, value in self.extra.items()},
        )
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        move(temporary, path)

    @staticmethod
    def load(path: Path, engine: Engine, audio: Sequence[AudioSource] | None = None) -> StreamState:
        """Read a state written by an engine of the same preset and weights. audio: what `Engine.start` was given then;
        InputError if that was something else."""
        groups: dict[str, dict[str, Tensor]] = {"conditioning": {}, "history": {}, "vae": {}, "stream": {}}
        with safe_open(path, "pt", device=str(engine.device)) as file:
            metadata = file.metadata()
            for key in file.keys():  # noqa: SIM118 (not a dict)
                group, _, name = key.partition(".")
                groups.setdefault(group, {})[name] = file.get_tensor(key)
        numbers, stream = json.loads(metadata["numbers"]), groups["stream"]
        given: dict[str, Any] = {"prompt": metadata["prompt"], **groups["conditioning"]}
        state = engine.start(Conditioning(**given), seed=0, sink=stream.get("sink"), audio=audio)
        state.generator.set_state(stream["generator"].cpu())
        state.history.load_tensors(groups["history"], numbers["written"])
        state.audio = tuple(_restored(source, groups[f"audio{i}"], path) for i, source in enumerate(state.audio))
        state.vae = groups["vae"] or None
        state.lead = stream.get("lead")
        if "motion" in stream:
            state.motion, state.motion_ahead = stream["motion"].cpu(), stream["motion_ahead"].cpu()
        state.chunk, state.frames = numbers["chunk"], numbers["frames"]
        state.extra = {key.removeprefix("extra."): value for key, value in metadata.items() if key.startswith("extra.")}
        return state


def _restored(source: AudioSource, saved: dict[str, Tensor], path: Path) -> AudioSource:
    if source.tensors().keys() != saved.keys():
        before = "without" if "samples" in saved else "with"
        raise InputError(
            f"'{path}' was made {before} speech features of the whole recording; resume it in the same way"
        )
    return source.restored({name: value.cpu() for name, value in saved.items()})
