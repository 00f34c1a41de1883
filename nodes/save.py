"""EchoTorrent_SaveVideo: makes the video while it plays, and can go on with one that was stopped."""

from __future__ import annotations

from typing import Any

from ..echotorrent_core.errors import InputError
from . import guard, host, lazy, types
from .host import InputImpl, io
from .produce import produce


class SaveVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EchoTorrent_SaveVideo",
            display_name="EchoTorrent: Save Video",
            category="EchoTorrent",
            description="Makes the video and plays it while it is made, with sound. What is finished stays: after an "
            "interrupt or a crash, put the id of the run into 'resume' and queue again.",
            inputs=[
                types.Frames.Input("frames", tooltip="From 'Decode'."),
                io.String.Input(
                    "name",
                    default="avatar",
                    tooltip="The video is saved as echotorrent/NAME_ID.mp4 in ComfyUI's output.",
                ),
                io.String.Input(
                    "resume",
                    default="",
                    optional=True,
                    tooltip="Id of a run to go on with, from its last finished chunk: 16 digits, as in the run list. "
                    "Empty starts a new run.",
                ),
            ],
            outputs=[
                io.Video.Output(display_name="video", tooltip="The file with its sound; nothing of it is in memory."),
                io.String.Output(display_name="run", tooltip="Id of the run, for 'resume'."),
            ],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,
        )

    @classmethod
    def validate_inputs(cls, name: str | None, resume: str | None = "") -> bool | str:
        """Before anything runs. What comes over a link is None here, and is checked when it has come."""
        try:
            if name is not None:
                guard.file_name(name)
            if resume and resume.strip():
                host.RUNS.find(resume.strip())
        except InputError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, resume: str | None = "", **inputs: Any) -> Any:
        """A run that was resumed and stopped again is not done because the node was."""
        try:
            return host.RUNS.snapshot(resume.strip())["n"] if resume and resume.strip() else ""
        except InputError:
            return ""

    @classmethod
    def execute(cls, frames: lazy.Frames, name: str, resume: str = "") -> io.NodeOutput:
        made = produce(frames.stream, host.output_folder(), name, resume.strip(), workflow_id=host.workflow_id(cls))
        if made.video is None:
            raise InputError("stopped before the first chunk was finished; nothing was made")
        shown = {"images": [host.saved(made.video)], "animated": (True,), "echotorrent_run": [made.id]}
        return io.NodeOutput(InputImpl.VideoFromFile(str(made.video)), made.id, ui=shown)
