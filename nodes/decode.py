"""EchoTorrent_Decode: the stream as pictures."""

from __future__ import annotations

from . import lazy, types
from .host import io


class Decode(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EchoTorrent_Decode",
            display_name="EchoTorrent: Decode",
            category="EchoTorrent",
            description="Turns the stream into pictures, each chunk as soon as it is made and only when asked for.",
            inputs=[types.Stream.Input("stream", tooltip="From 'Stream'.")],
            outputs=[types.Frames.Output(display_name="frames", tooltip="Pictures with their sound, not made yet.")],
        )

    @classmethod
    def execute(cls, stream: lazy.Stream) -> io.NodeOutput:
        return io.NodeOutput(lazy.Frames(stream))
