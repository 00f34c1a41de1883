"""EchoTorrent_Collect: the stream as tensors, for graphs that go on with pictures."""

from __future__ import annotations

import contextlib
import threading

import torch

from ..echotorrent_core.errors import InputError
from ..echotorrent_core.session import Session
from . import host, lazy, types
from .host import io
from .produce import produce


class Collect(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EchoTorrent_Collect",
            display_name="EchoTorrent: Collect",
            category="EchoTorrent",
            description="Makes the video and holds all of it in memory as pictures and sound: for short videos that "
            "other nodes work on. Long ones belong into 'Save Video'.",
            inputs=[types.Frames.Input("frames", tooltip="From 'Decode'.")],
            outputs=[
                io.Image.Output(display_name="images", tooltip="All pictures."),
                io.Audio.Output(display_name="audio", tooltip="The sound, as long as the pictures, 48 kHz stereo."),
                io.Float.Output(display_name="fps", tooltip="Pictures per second."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, frames: lazy.Frames) -> io.NodeOutput:
        stream = frames.stream
        height, width = stream.model.config.size
        images = torch.zeros(stream.frames, height, width, 3, device=host.intermediate_device())
        threads: list[threading.Thread] = []

        def listen(session: Session) -> None:
            chunks = session.frames()
            threads.append(
                threading.Thread(target=_fill, args=(images, chunks), name="echotorrent frames", daemon=True)
            )
            threads[0].start()

        made = produce(stream, host.temp_folder(), "collect", listen=listen)
        threads[0].join()
        if not made.finished:
            raise InputError("the run was stopped, so there are not all pictures; what was made is in the run list")
        fps = stream.model.config.stream.fps
        samples = torch.cat(
            [torch.from_numpy(sound) for _, sound in stream.sound.blocks(stream.model.config.audio.sample_rate)], 1
        )
        length = stream.frames * lazy.SOUND_RATE // fps
        padded = torch.nn.functional.pad(samples, (0, max(0, length - samples.shape[1])))[None, :, :length]
        return io.NodeOutput(images, {"waveform": padded, "sample_rate": lazy.SOUND_RATE}, float(fps))


def _fill(images: torch.Tensor, chunks: object) -> None:
    with contextlib.suppress(Exception):  # an error of the session is raised to the node, which waits for it
        for event, pixels in chunks:  # type: ignore[attr-defined]
            first = event["first_frame"]
            images[first : first + len(pixels)] = torch.from_numpy(pixels).to(images) / 255
