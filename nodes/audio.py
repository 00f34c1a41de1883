"""EchoTorrent_EncodeAudio: who speaks. Features are made chunk by chunk, while the video is."""

from __future__ import annotations

from typing import Any

from ..echotorrent_core.errors import InputError
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
                io.AudioEncoderOutput.Input(
                    "audio_encoder_output",
                    optional=True,
                    tooltip="From ComfyUI's 'Audio Encoder Encode' on the same audio, instead of the model's own "
                    "audio encoder; for published models.",
                ),
                io.AudioEncoderOutput.Input(
                    "audio_encoder_output_2",
                    optional=True,
                    tooltip="The same of the second speaker.",
                ),
            ],
            outputs=[types.Audio.Output(display_name="audio", tooltip="The voices, ready to be streamed.")],
        )

    @classmethod
    def execute(
        cls,
        audio: dict[str, Any],
        audio_2: dict[str, Any] | None = None,
        audio_encoder_output: Any = None,
        audio_encoder_output_2: Any = None,
    ) -> io.NodeOutput:
        voices = [audio] if audio_2 is None else [audio, audio_2]
        outputs = [output for output in (audio_encoder_output, audio_encoder_output_2) if output is not None]
        if outputs and (len(outputs) != len(voices) or audio_encoder_output is None):
            raise InputError("there is not one audio_encoder_output for each audio; encode all voices or none")
        return io.NodeOutput(Sound(*voices, encoder_outputs=outputs))
