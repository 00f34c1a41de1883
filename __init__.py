"""EchoTorrent for ComfyUI: the entry that ComfyUI imports when this folder lies in `custom_nodes`.

It imports nothing by itself: the nodes come when ComfyUI asks for them, the engine before the first video.
"""

from __future__ import annotations

from typing import Any

WEB_DIRECTORY = "./web/dist"

__all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]


async def comfy_entrypoint() -> Any:
    """The V3 extension with the nodes; its routes are registered on the way."""
    from .nodes.extension import extension

    return extension()
