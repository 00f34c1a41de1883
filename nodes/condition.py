"""EchoTorrent_Condition: who is seen, and what they are told to do when."""

from __future__ import annotations

from typing import Any

from ..echotorrent_core.errors import InputError
from . import types
from .host import io
from .lazy import Look


class Condition(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EchoTorrent_Condition",
            display_name="EchoTorrent: Condition",
            category="EchoTorrent",
            description="Takes the portrait and the prompt. Prompts may change with time, as in "
            "'0: smiling / 4.5: looks left'.",
            inputs=[
                io.Image.Input(
                    "image", tooltip="One portrait. It is scaled to cover the model's size, and its centre is kept."
                ),
                io.String.Input(
                    "prompt",
                    default="",
                    multiline=True,
                    tooltip="Expression, gaze, head turn. 'seconds: prompt / seconds: prompt' changes it with time, "
                    "each from the first chunk that begins then.",
                ),
                io.Conditioning.Input(
                    "conditioning",
                    optional=True,
                    tooltip="From ComfyUI's 'CLIP Text Encode' with Wan's text encoder, instead of a prompt; for "
                    "published models.",
                ),
                io.ClipVisionOutput.Input(
                    "clip_vision_output",
                    optional=True,
                    tooltip="From ComfyUI's 'CLIP Vision Encode' on the same image, instead of the model's own CLIP; "
                    "for published models.",
                ),
                io.Mask.Input(
                    "mask", optional=True, tooltip="Where the first of two speakers is, painted over the image."
                ),
                io.Mask.Input(
                    "mask_2", optional=True, tooltip="Where the second speaker is. Without masks: the halves."
                ),
            ],
            outputs=[types.Conditioning.Output(display_name="conditioning", tooltip="Portrait and prompts.")],
        )

    @classmethod
    def execute(
        cls,
        image: Any,
        prompt: str,
        conditioning: Any = None,
        clip_vision_output: Any = None,
        mask: Any = None,
        mask_2: Any = None,
    ) -> io.NodeOutput:
        if (mask is None) != (mask_2 is None):
            raise InputError("one speaker has a mask and the other has none; give both masks or none")
        if conditioning is not None and prompt.strip():
            raise InputError("there are a prompt and conditioning; empty the prompt or disconnect the conditioning")
        masks = () if mask is None else (mask, mask_2)
        return io.NodeOutput(Look(image, prompt, masks, conditioning, clip_vision_output))
