"""EchoTorrent_EncodeAudio: who speaks. Features are made chunk by chunk, while the video is."""

from __future__ import annotations

from typing import Any

from . import types
from .host import io
from .lazy import Sound


class EncodeAudio(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EchoTorrent_EncodeAudio",
            display_name="EchoTorrent: Encode Audio",
            category="EchoTorrent",
            description="Takes the speech that moves the mouth, of any rate and length. It is the video's sound too.",
            inputs=[
                io.Audio.Input("audio", tooltip="Speech or singing. The video is as long as this."),
                io.Audio.Input(
                    "audio_2",
                    optional=True,
                    tooltip="The second speaker, heard at the same time; for models that know two.",
                ),
            ],
            outputs=[types.Audio.Output(display_name="audio", tooltip="The voices, ready to be streamed.")],
        )

    @classmethod
    def execute(cls, audio: dict[str, Any], audio_2: dict[str, Any] | None = None) -> io.NodeOutput:
        return io.NodeOutput(Sound(audio) if audio_2 is None else Sound(audio, audio_2))
