"""What ComfyUI asks for: the list of nodes."""

from __future__ import annotations

from . import host
from .audio import EncodeAudio
from .collect import Collect
from .condition import Condition
from .decode import Decode
from .finetune import FineTune
from .identity import LoadIdentity
from .load import LoadModel
from .lora import LoadLora
from .save import SaveVideo
from .stream import StreamVideo


class EchoTorrent(host.ComfyExtension):
    """What ComfyUI asks for the pack's nodes."""

    async def get_node_list(self) -> list[type[host.io.ComfyNode]]:
        return [
            *[LoadModel, LoadLora, LoadIdentity, EncodeAudio, Condition, StreamVideo, Decode, SaveVideo, Collect],
            FineTune,
        ]


def extension() -> EchoTorrent:
    """The pack's nodes; its routes are registered on the way, while the host still takes some."""
    host.add_routes()
    return EchoTorrent()
