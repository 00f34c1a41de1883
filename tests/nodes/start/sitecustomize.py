"""Makes ComfyUI work where torch is a CPU build, which PyPI's torchvision and torchaudio are not.

Their compiled parts cannot be loaded there. ComfyUI and what it starts import both but need neither: two operators are
declared for the one, and the loader of the other's library is replaced, before they are imported. With another torch
nothing is changed. Every Python with this folder on PYTHONPATH begins with this module (tests/nodes/comfy_host.py).
"""

import importlib.abc
import importlib.metadata
import sys
import types


class WithoutLibraries(importlib.abc.MetaPathFinder):
    """Finds nothing itself: prepares the ground when one of the two is looked for."""

    def __init__(self):
        self.operators = None  # lives as long as what it declares

    def find_spec(self, name, path, target=None):
        if name == "torchvision" and self.operators is None:
            import torch

            self.operators = torch.library.Library("torchvision", "DEF")
            for operator in ("nms", "qnms"):
                self.operators.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        if name == "torchaudio":
            sys.modules.setdefault("torchaudio._extension", self.loader_of_nothing())
        return None

    @staticmethod
    def loader_of_nothing():
        module = types.ModuleType("torchaudio._extension")
        module._IS_TORCHAUDIO_EXT_AVAILABLE = False
        module._IS_ALIGN_AVAILABLE = False
        module._check_cuda_version = lambda: None
        module.fail_if_no_align = lambda function: function
        return module


try:
    if importlib.metadata.version("torch").endswith("+cpu"):
        sys.meta_path.insert(0, WithoutLibraries())
except importlib.metadata.PackageNotFoundError:
    pass
