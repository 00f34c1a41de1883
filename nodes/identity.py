"""EchoTorrent_LoadIdentity: a model tuned to one person."""

from __future__ import annotations

from ..echotorrent_core.errors import InputError
from . import host, lazy, types
from .host import io


class LoadIdentity(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EchoTorrent_LoadIdentity",
            display_name="EchoTorrent: Load Identity",
            category="EchoTorrent",
            description="Gives a model the face of a person that a fine-tune has learnt. A file that was made on "
            "another model is refused. Nothing is loaded before a video is made.",
            inputs=[
                types.Model.Input("model", tooltip="From 'Load Model', the one that the fine-tune began with."),
                io.String.Input(
                    "identity",
                    default="",
                    tooltip="A file below models/echotorrent_identities, or a checkpoint of a job as the panel writes "
                    "it: job/ID/last is the newest. Empty hands the model on unchanged.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=-2.0,
                    max=2.0,
                    step=0.05,
                    tooltip="How strongly it acts: 1 as it was learnt, less for a mixture with what the model knew.",
                ),
            ],
            outputs=[types.Model.Output(display_name="model", tooltip="The model with the identity, not loaded yet.")],
        )

    @classmethod
    def fingerprint_inputs(cls, identity: str | None = "", **inputs: object) -> object:
        """A job's newest checkpoint changes under the same name."""
        try:
            path = host.identity_path((identity or "").strip())
            return [str(path), path.stat().st_size, path.stat().st_mtime_ns]
        except (InputError, OSError):
            return ""

    @classmethod
    def execute(cls, model: lazy.Model, identity: str, strength: float = 1.0) -> io.NodeOutput:
        if not identity.strip():
            return io.NodeOutput(model)
        if model.with_identity is None:
            raise InputError(f"preset '{model.config.name}' takes no identity; choose a model that can be tuned")
        return io.NodeOutput(model.with_identity(host.identity_path(identity.strip()), strength))
