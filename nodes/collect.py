"""EchoTorrent_Collect: the stream as tensors, for graphs that go on with pictures."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
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
        needed, free = 12 * stream.frames * height * width, host.free_bytes()
        if needed > free:
            raise InputError(
                f"the pictures of {stream.sound.seconds:.0f} s need {needed / 1e9:.1f} GB of memory and "
                f"{free / 1e9:.1f} GB are free; use 'Save Video', which keeps them on disk"
            )
        # The host runs nodes inside inference mode, but another thread may not write to a tensor of that kind.
        with torch.inference_mode(False):
            images = torch.zeros(stream.frames, height, width, 3, device=host.intermediate_device())
        threads: list[threading.Thread] = []
        failed: list[Exception] = []

        def listen(session: Session) -> None:
            chunks = session.frames()
            threads.append(
                threading.Thread(target=_fill, args=(images, chunks, failed), name="echotorrent frames", daemon=True)
            )
            threads[0].start()

        made = produce(stream, host.temp_folder(), "collect", listen=listen)
        threads[0].join()
        if failed:
            raise failed[0]
        if not made.finished:
            raise InputError("the run was stopped, so there are not all pictures; what was made is in the run list")
        fps = stream.model.config.stream.fps
        samples = torch.cat(
            [torch.from_numpy(sound) for _, sound in stream.sound.blocks(stream.model.config.audio.sample_rate)], 1
        )
        length = stream.frames * lazy.SOUND_RATE // fps
        padded = torch.nn.functional.pad(samples, (0, max(0, length - samples.shape[1])))[None, :, :length]
        return io.NodeOutput(images, {"waveform": padded, "sample_rate": lazy.SOUND_RATE}, float(fps))


def _fill(images: torch.Tensor, chunks: Iterator[tuple[dict[str, Any], np.ndarray]], failed: list[Exception]) -> None:
    """Put each chunk's pictures where they belong. What breaks is kept in `failed`, for the node to raise."""
    try:
        for event, pixels in chunks:
            first = event["first_frame"]
            images[first : first + len(pixels)] = torch.from_numpy(pixels).to(images) / 255
    except Exception as error:
        failed.append(error)
