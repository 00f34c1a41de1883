"""EchoTorrent_LoadLora: a model with one LoRA more."""

from __future__ import annotations

from ..echotorrent_core.errors import InputError
from . import host, lazy, types
from .host import io

FOLDER = "loras"


class LoadLora(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EchoTorrent_LoadLora",
            display_name="EchoTorrent: Load LoRA",
            category="EchoTorrent",
            description="Adds a LoRA to a published model, for example LightX2V's for 4 steps. Several nodes in a row "
            "add several. Nothing is loaded before a video is made.",
            inputs=[
                types.Model.Input("model", tooltip="From 'Load Model', or from another 'Load LoRA'."),
                io.Combo.Input(
                    "lora",
                    options=host.model_files(FOLDER),
                    default=host.NONE,
                    tooltip="A file of ComfyUI's folder models/loras, made for Wan 2.1 14B or InfiniteTalk.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=-4.0,
                    max=4.0,
                    step=0.05,
                    tooltip="How strongly it acts; distilled LoRAs expect 1.",
                ),
            ],
            outputs=[types.Model.Output(display_name="model", tooltip="The model with the LoRA, not loaded yet.")],
        )

    @classmethod
    def execute(cls, model: lazy.Model, lora: str, strength: float = 1.0) -> io.NodeOutput:
        if lora == host.NONE:
            return io.NodeOutput(model)
        if model.with_lora is None:
            raise InputError(f"preset '{model.config.name}' brings its own weights and takes no LoRA; remove this node")
        path = host.model_path(lora, FOLDER)
        if path is None:
            raise InputError(f"LoRA '{lora}' is not in ComfyUI's folder {FOLDER}; put it there, or choose another")
        return io.NodeOutput(model.with_lora(path, strength))
