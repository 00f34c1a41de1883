"""EchoTorrent_Stream: brings model, picture and voice together. Nothing is made before somebody pulls."""

from __future__ import annotations

from . import lazy, types
from .host import io


class StreamVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EchoTorrent_Stream",
            display_name="EchoTorrent: Stream",
            category="EchoTorrent",
            description="Describes the stream of a talking video. It is made chunk by chunk when a save or collect "
            "node asks for it, so its length does not matter for memory.",
            inputs=[
                types.Model.Input("model", tooltip="From 'Load Model'."),
                types.Conditioning.Input("conditioning", tooltip="From 'Condition'."),
                types.Audio.Input("audio", tooltip="From 'Encode Audio'."),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=2**63 - 1,
                    control_after_generate=True,
                    tooltip="Same seed and inputs, same video.",
                ),
            ],
            outputs=[types.Stream.Output(display_name="stream", tooltip="The stream, not started.")],
        )

    @classmethod
    def execute(cls, model: lazy.Model, conditioning: lazy.Look, audio: lazy.Sound, seed: int) -> io.NodeOutput:
        return io.NodeOutput(lazy.Stream(model, conditioning, audio, seed))
