"""EchoTorrent_LoadModel: a preset, and for published models the files it is put together from."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..echotorrent_core import presets
from ..echotorrent_core.config import EngineConfig
from ..echotorrent_core.errors import InputError
from ..echotorrent_core.loading import published
from . import host, types
from .host import io
from .lazy import Model

if TYPE_CHECKING:
    from ..echotorrent_core.assemble import Chosen, LoadOptions
    from ..echotorrent_core.stream import Engine

EMBEDDED = "embedded"
PRESETS = [EMBEDDED, "infinitetalk_14b_lightx2v", "infinitetalk_14b", "flashtalk_14b", "echotorrent_14b"]
PRECISIONS = ["auto", "bf16", "fp16", "fp32", "fp8", "int8"]
# Input -> the host's model folders in which its file may lie.
FILES = {
    "diffusion_model": ("diffusion_models",),
    "audio_adapter": ("diffusion_models", "model_patches"),
    "vae": ("vae",),
    "text_encoder": ("text_encoders",),
    "clip_vision": ("clip_vision",),
    "audio_encoder": ("audio_encoders",),
}
OPTIONAL = frozenset({"umt5", "clip_vision", "wav2vec2"})  # what they make may come from ComfyUI's own encoders
TOOLTIPS = {
    "diffusion_model": "Wan 2.1 I2V 14B, or a model with the audio adapter merged in. Published presets only.",
    "audio_adapter": "InfiniteTalk's audio layers, on top of Wan 2.1 I2V 14B. Leave at none if they are merged in.",
    "vae": "The Wan 2.1 VAE.",
    "text_encoder": "umT5-xxl, with its tokenizer in the file or beside it. Not needed with 'conditioning'.",
    "clip_vision": "CLIP ViT-H, through which the model sees the portrait. Not needed with 'clip_vision_output'.",
    "audio_encoder": "wav2vec2, Chinese base model, as InfiniteTalk was trained with. Not needed with "
    "'audio_encoder_output'.",
}


class LoadModel(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EchoTorrent_LoadModel",
            display_name="EchoTorrent: Load Model",
            category="EchoTorrent",
            description="Chooses the model. 'embedded' comes with the pack and runs on any CPU; the others are put "
            "together from published files in ComfyUI's model folders. Weights are loaded when a video is made.",
            inputs=[
                io.Combo.Input(
                    "preset",
                    options=PRESETS,
                    default=EMBEDDED,
                    tooltip="The model and how it streams. 'embedded' needs no files.",
                ),
                *(
                    io.Combo.Input(
                        name, options=host.model_files(*kinds), default=host.NONE, optional=True, tooltip=TOOLTIPS[name]
                    )
                    for name, kinds in FILES.items()
                ),
                io.Combo.Input(
                    "precision",
                    options=PRECISIONS,
                    default="auto",
                    optional=True,
                    tooltip="Of the large weights: fp8 and int8 need half the memory. Published presets only.",
                ),
                io.Int.Input(
                    "width",
                    default=0,
                    min=0,
                    max=4096,
                    step=16,
                    optional=True,
                    tooltip="Pixels; 0 takes the preset's own size. Published presets only.",
                ),
                io.Int.Input(
                    "height",
                    default=0,
                    min=0,
                    max=4096,
                    step=16,
                    optional=True,
                    tooltip="Pixels; 0 takes the preset's own size. Published presets only.",
                ),
            ],
            outputs=[types.Model.Output(display_name="model", tooltip="The model, not loaded yet.")],
        )

    @classmethod
    def execute(
        cls,
        preset: str,
        precision: str = "auto",
        width: int = 0,
        height: int = 0,
        **files: str,
    ) -> io.NodeOutput:
        try:
            config = presets.get_preset(preset)
        except ValueError as error:
            raise InputError(str(error)) from None
        if not published(config):
            given = [name for name in FILES if files.get(name, host.NONE) != host.NONE]
            given += [name for name, value in (("width", width), ("height", height)) if value]
            if given or precision != "auto":
                names = ", ".join(given) or "precision"
                raise InputError(f"preset '{preset}' brings its own weights and size; set {names} back to its default")
            return io.NodeOutput(Own(config).model())
        return io.NodeOutput(_published(config, _paths(files), precision, (height, width)))


@dataclass(frozen=True)
class Own:
    """A preset with weights of its own, and the identity that is applied to it."""

    config: EngineConfig
    identity: tuple[Path, float] | None = None

    def model(self) -> Model:
        return Model(self.config, self._load, host.keep, with_identity=self.with_identity)

    def with_identity(self, path: Path, strength: float) -> Model:
        """InputError for a file that is no identity, or of another base."""
        from ..echotorrent_core.weights import identity
        from ..echotorrent_core.weights.parts import ASSETS

        if self.identity is not None:
            raise InputError(f"{path}: the model has the identity of '{self.identity[0]}' already; use one at a time")
        identity.check(path, self.config.name, identity.of_trunk(ASSETS / self.config.name / "trunk.safetensors"))
        return dataclasses.replace(self, identity=(path, strength)).model()

    def _load(self) -> Engine:
        from ..echotorrent_core.stream import Engine
        from ..echotorrent_core.weights import identity

        engine = Engine.from_preset(self.config.name)
        return engine if self.identity is None else identity.apply(engine, *self.identity)


def _paths(files: dict[str, str]) -> dict[str, Path]:
    """The files that were chosen, by input."""
    found = {}
    for name, kinds in FILES.items():
        chosen = files.get(name, host.NONE)
        path = host.model_path(chosen, *kinds)
        if path is not None:
            found[name] = path
        elif chosen != host.NONE:
            raise InputError(
                f"{name} '{chosen}' is not in ComfyUI's folder {' or '.join(kinds)}; put it there, or choose another"
            )
    return found


@dataclass(frozen=True)
class Recipe:
    """A published model before anything of it is read. working: bytes that a step needs beside the weights."""

    config: EngineConfig
    paths: list[Path]
    options: LoadOptions
    chosen: Chosen
    working: int
    identity: tuple[Path, float] | None = None

    def model(self) -> Model:
        return Model(
            self.chosen.config, self._load, self._keep, self.chosen.missing, self.with_lora, self.with_identity
        )

    def with_identity(self, path: Path, strength: float) -> Model:
        """The model tuned to a person. InputError for a file that is no identity, or of another base: other files, or
        other LoRAs before this."""
        from ..echotorrent_core.weights import identity

        if self.identity is not None:
            raise InputError(f"{path}: the model has the identity of '{self.identity[0]}' already; use one at a time")
        base = identity.of_files([*self.chosen.trunk.source.files, *(file for file, _ in self.options.loras)])
        identity.check(path, self.config.name, base)
        self.chosen.lora(path, strength)
        return dataclasses.replace(self, identity=(path, strength)).model()

    def with_lora(self, path: Path, strength: float) -> Model:
        """The model with one LoRA more. InputError for a file that is none or that belongs to another model."""
        self.chosen.lora(path, strength)
        options = dataclasses.replace(self.options, loras=(*self.options.loras, (path, strength)))
        return dataclasses.replace(self, options=options).model()

    def _load(self) -> Engine:
        from ..echotorrent_core.assemble import assemble

        if self.identity is None:
            return assemble(self.config, self.paths, self.options)
        from ..echotorrent_core.weights import identity

        options = dataclasses.replace(self.options, loras=(*self.options.loras, self.identity))
        engine = assemble(self.config, self.paths, options)
        identity.tune_decoder(engine.vae, *self.identity)
        return engine

    def _keep(self, modules: list[Any], drop: Callable[[], None]) -> Callable[[], None]:
        return host.keep(modules, drop, self.working)


def _published(config: EngineConfig, files: dict[str, Path], precision: str, size: tuple[int, int]) -> Model:
    """A model of published files. They are recognised now, by their headers, and read when they are needed."""
    import torch

    from ..echotorrent_core.assemble import LoadOptions, choose
    from ..echotorrent_core.estimate import estimate, tokens_grid

    if absent := host.missing(["transformers"]):
        raise InputError(f"preset '{config.name}' needs {', '.join(absent)}; install it into ComfyUI's Python")
    if size != (0, 0):
        size = (size[0] or config.size[0], size[1] or config.size[1])
        tokens_grid(config, size)
        config = dataclasses.replace(config, size=size)
    short = host.precision() if precision == "auto" else precision
    dtypes = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
    options = LoadOptions(
        dtype=dtypes.get(short, torch.bfloat16),
        quantise=None if short in dtypes else short,  # type: ignore[arg-type]
        optional=OPTIONAL,  # type: ignore[arg-type]
    )
    paths = list(files.values())
    chosen = choose(config, paths, options)
    needed = estimate(chosen.config, None, short)
    working = sum(needed.caches.values()) + max(needed.working.values())
    return Recipe(config, paths, options, chosen, working).model()
