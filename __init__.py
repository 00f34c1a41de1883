"""EchoTorrent for ComfyUI: the entry that ComfyUI imports when this folder lies in `custom_nodes`.

It imports nothing: neither torch nor the engine is loaded before a node runs. The nodes are not part of this release
yet, so none are offered; the engine works from the command line and from Python (`echotorrent_core`).
"""

NODE_CLASS_MAPPINGS: dict[str, type] = {}
