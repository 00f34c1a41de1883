"""As much of ComfyUI as the nodes need to be imported and run where there is none: schemas are recorded, memory is the
CPU, the interrupt is a flag. What the real one does with them is tested against the real one (test_server.py).
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PACK = "echotorrent_pack"


class Interrupted(BaseException):
    """As in the newer versions, no `Exception`."""


@dataclass
class Port:
    """An input or output of a node."""

    type: str
    id: str | None = None
    options: dict[str, Any] = field(default_factory=dict)


class Kind:
    def __init__(self, name: str):
        self.name = name

    def Input(self, id: str, **options: Any) -> Port:
        return Port(self.name, id, options)

    def Output(self, **options: Any) -> Port:
        return Port(self.name, None, options)


class Schema:
    def __init__(self, **fields: Any):
        self.__dict__.update({"is_output_node": False, "hidden": [], **fields})


class NodeOutput:
    def __init__(self, *args: Any, ui: dict | None = None):
        self.args, self.ui = args, ui


class Video:
    def __init__(self, path: str):
        self.path = path


class Io:
    """comfy_api's `io`: every attribute that is not here is a type."""

    ComfyNode, Schema, NodeOutput = object, Schema, NodeOutput
    Hidden = SimpleNamespace(unique_id="UNIQUE_ID")
    Custom = Kind

    def __getattr__(self, name: str) -> Kind:
        return Kind(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper())


class Patcher:
    def __init__(self, module: Any, load_device: Any, offload_device: Any):
        self.model, self.callbacks = module, []

    def add_callback(self, kind: str, callback: Any) -> None:
        self.callbacks.append(callback)

    def detach(self, unpatch_all: bool = True) -> None:
        for callback in self.callbacks:
            callback(self, unpatch_all)


class Host:
    """The pretended ComfyUI: folders below `base`, what it was told, and switches."""

    def __init__(self, base: Path):
        self.base, self.interrupt, self.events, self.loaded = base, False, [], []
        self.instance = SimpleNamespace(
            send_sync=lambda kind, data: self.events.append(data), send_progress_text=lambda text, node: None
        )
        self.models: dict[str, list[str]] = {"diffusion_models": ["wan.safetensors"], "vae": []}

    def check(self) -> None:
        if self.interrupt:
            self.interrupt = False
            raise Interrupted

    def modules(self) -> dict[str, ModuleType]:
        import torch

        cpu = torch.device("cpu")
        patcher = SimpleNamespace(ModelPatcher=Patcher)
        extension = SimpleNamespace(CallbacksMP=SimpleNamespace(ON_DETACH="on_detach"))
        memory = SimpleNamespace(
            get_torch_device=lambda: cpu,
            unet_offload_device=lambda: cpu,
            intermediate_device=lambda: cpu,
            load_models_gpu=lambda models, **options: self.loaded.append((models, options)),
            throw_exception_if_processing_interrupted=self.check,
            unload_all_models=lambda: self.loaded.clear(),
            soft_empty_cache=lambda: None,
            get_total_memory=lambda device: 1 << 34,
            should_use_bf16=lambda device: False,
            should_use_fp16=lambda device: False,
        )
        bar = SimpleNamespace(update_absolute=lambda value: None)
        paths = SimpleNamespace(
            get_output_directory=lambda: str(self.base / "output"),
            get_temp_directory=lambda: str(self.base / "temp"),
            get_input_directory=lambda: str(self.base / "input"),
            get_user_directory=lambda: str(self.base / "user"),
            models_dir=str(self.base / "models"),
            folder_names_and_paths=self.models,
            get_filename_list=lambda kind: self.models[kind],
            get_full_path=lambda kind, name: str(self.base / name) if (self.base / name).exists() else None,
        )
        latest = SimpleNamespace(
            io=Io(), ComfyExtension=object, InputImpl=SimpleNamespace(VideoFromFile=Video), __path__=[]
        )
        context = SimpleNamespace(get_executing_context=lambda: SimpleNamespace(prompt_id="prompt", node_id="8"))
        server = SimpleNamespace(PromptServer=SimpleNamespace(instance=self.instance))
        utils = SimpleNamespace(ProgressBar=lambda total: bar)
        contents: dict[str, Any] = {
            "comfy": SimpleNamespace(model_management=memory, utils=utils, model_patcher=patcher),
            "comfy.model_management": memory,
            "comfy.utils": utils,
            "comfy.model_patcher": patcher,
            "comfy.patcher_extension": extension,
            "comfy_api": SimpleNamespace(latest=latest),
            "comfy_api.latest": latest,
            "comfy_execution": SimpleNamespace(utils=context),
            "comfy_execution.utils": context,
            "folder_paths": paths,
            "server": server,
        }
        made = {}
        for name, content in contents.items():
            made[name] = ModuleType(name)
            made[name].__dict__.update(content.__dict__)
        return made


def load_pack() -> ModuleType:
    """The pack as ComfyUI imports it: by path, under a name of its own."""
    if PACK not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            PACK, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
        )
        assert spec is not None and spec.loader is not None
        sys.modules[PACK] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[PACK])
    return sys.modules[PACK]


def part(name: str) -> Any:
    """A module of the pack, such as `nodes.guard`."""
    load_pack()
    return importlib.import_module(f"{PACK}.{name}")
