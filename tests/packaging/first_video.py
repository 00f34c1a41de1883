"""python -m tests.packaging.first_video PACK FOLDER: a video by the nodes of an unpacked pack, in a pretended ComfyUI.

Prints the video's path. What the nodes import must come from the pack, not from the checkout that runs this.
"""

import asyncio
import sys
from pathlib import Path

import torch

from tests.nodes import fake_comfy


def main(pack: Path, folder: Path) -> Path:
    fake_comfy.ROOT = pack
    sys.modules.update(fake_comfy.Host(folder).modules())
    nodes = asyncio.run(fake_comfy.part("nodes.extension").EchoTorrent().get_node_list())
    by_id = {node.define_schema().node_id.removeprefix("EchoTorrent_"): node for node in nodes}

    def run(kind, *given):
        return by_id[kind].execute(*given).args[0]

    sound = run("EncodeAudio", {"waveform": torch.randn(1, 1, 8000), "sample_rate": 16000})
    look = run("Condition", torch.rand(1, 128, 128, 3), "smiling")
    stream = run("Stream", run("LoadModel", "embedded"), look, sound, 0)
    video = run("SaveVideo", run("Decode", stream), "packed")
    elsewhere = [
        name
        for name, module in sys.modules.items()
        if name.split(".")[0] in ("echotorrent_core", "training", fake_comfy.PACK)
        and pack not in Path(module.__file__ or pack / "namespace").parents
    ]
    assert not elsewhere, elsewhere
    return Path(video.path)


if __name__ == "__main__":
    print(main(*map(Path, sys.argv[1:])))
