"""Everything of ComfyUI that the pack touches: no other file imports from it."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import comfy.model_management as memory
import comfy.utils
import folder_paths
import server
from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import CallbacksMP
from comfy_api.latest import ComfyExtension, InputImpl, io
from comfy_execution.utils import get_executing_context

from ..echotorrent_core.errors import InputError
from ..training.jobs import views
from ..training.jobs.errors import Refused
from ..training.jobs.identities import KEPT
from ..training.jobs.service import Service
from .runs import FOLDER, Runs

__all__ = ["ComfyExtension", "InputImpl", "io"]

NONE = "none"  # a file that is left out
EVENT = "echotorrent.event"


# ---- files


def output_folder() -> Path:
    return Path(folder_paths.get_output_directory()) / FOLDER


def temp_folder() -> Path:
    """Emptied by ComfyUI when it starts."""
    return Path(folder_paths.get_temp_directory()) / FOLDER


def saved(path: Path) -> dict[str, str]:
    """A file of the output or temp folder as the frontend names it."""
    for kind, root in (("output", output_folder().parent), ("temp", temp_folder().parent)):
        if path.is_relative_to(root):
            return {"filename": path.name, "subfolder": path.parent.relative_to(root).as_posix(), "type": kind}
    raise ValueError(f"{path} lies neither in the output nor in the temp folder")


def model_files(*kinds: str) -> list[str]:
    """Names of the files in the host's model folders, after `NONE`."""
    found: list[str] = []
    for kind in kinds:
        if kind in folder_paths.folder_names_and_paths:
            found += folder_paths.get_filename_list(kind)
    return [NONE, *dict.fromkeys(found)]


def model_path(name: str, *kinds: str) -> Path | None:
    """Where a file of `model_files` lies; None for `NONE`."""
    for kind in kinds if name != NONE else ():
        if kind in folder_paths.folder_names_and_paths and (path := folder_paths.get_full_path(kind, name)):
            return Path(path)
    return None


def clip_folders() -> dict[str, Path]:
    """That clips of datasets may be taken from, by the first part of their paths."""
    return {
        "input": Path(folder_paths.get_input_directory()),
        "output": Path(folder_paths.get_output_directory()),
    }


def setting_folders() -> dict[str, Path]:
    """In which the settings of a fine-tune may name files."""
    return {"models": Path(folder_paths.models_dir), **clip_folders()}


def identity_folder() -> Path:
    """Where identities are kept beyond their jobs."""
    return Path(folder_paths.models_dir) / KEPT


@functools.cache
def jobs() -> Service:
    """Datasets and fine-tunes, in ComfyUI's user folder."""
    return Service(Path(folder_paths.get_user_directory()) / FOLDER)


def identity_path(value: str) -> Path:
    """The file of a `value` of the lists of identities: below `identity_folder`, job/ID/FILE, or job/ID/last for the
    newest of a job. InputError if there is none."""
    try:
        return views.identity_path(jobs(), identity_folder(), value)
    except Refused as error:
        raise InputError(str(error)) from None


RUNS = Runs(lambda: [output_folder(), temp_folder()])


# ---- memory


def keep(modules: list[Any], drop: Callable[[], None], working: int = 0) -> Callable[[], None]:
    """Give modules into the host's care; the function returned brings all of them to the device.

    drop: frees what else lies there, and is called when the host takes the first one away. working: bytes that a step
    needs beside them. The modules are asked for whole: plain torch layers cannot run in part.
    """
    device, offload = memory.get_torch_device(), memory.unet_offload_device()
    patchers = [ModelPatcher(module, load_device=device, offload_device=offload) for module in modules]

    def detached(patcher: Any, unpatch_all: bool) -> None:
        if unpatch_all:  # otherwise it is only about to be loaded again
            drop()

    patchers[0].add_callback(CallbacksMP.ON_DETACH, detached)

    def to_device() -> None:
        memory.load_models_gpu(patchers, memory_required=working, force_full_load=True)

    return to_device


def precision() -> str:
    """The best precision for large weights on the device."""
    device = memory.get_torch_device()
    if memory.should_use_bf16(device):
        return "bf16"
    return "fp16" if memory.should_use_fp16(device) else "fp32"


def device() -> Any:
    return memory.get_torch_device()


def devices() -> list[dict[str, Any]]:
    """That can train, the one that ComfyUI uses first, each with its free memory."""
    import torch

    found = [torch.device("cpu")]
    if torch.cuda.is_available():
        found += [torch.device("cuda", number) for number in range(torch.cuda.device_count())]
    found.sort(key=lambda one: one.type != memory.get_torch_device().type)
    return [
        {
            "id": str(one),
            "name": torch.cuda.get_device_name(one) if one.type == "cuda" else "CPU",
            "free_bytes": int(memory.get_free_memory(one)),
            "total_bytes": int(memory.get_total_memory(one)),
        }
        for one in found
    ]


def intermediate_device() -> Any:
    return memory.intermediate_device()


def out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out. The host's class is no help: without CUDA it may be `Exception` itself."""
    text = str(error).lower()
    known = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return known or (isinstance(error, RuntimeError) and ("out of memory" in text or "not enough memory" in text))


def free_bytes() -> int:
    """Memory that is left for what nodes hand on."""
    return int(memory.get_free_memory(memory.intermediate_device()))


def free_memory() -> None:
    """After memory ran out: other prompts must find it free."""
    memory.unload_all_models()
    memory.soft_empty_cache()


# ---- the node that runs


def node() -> tuple[str, str]:
    """Ids of the prompt and of the node that is running."""
    context = get_executing_context()
    return ("", "") if context is None else (context.prompt_id, context.node_id)


def workflow_id(running: type[Any]) -> str | None:
    """Id of the workflow that queued the output node `running`; None if a program queued it without one."""
    info = getattr(getattr(running, "hidden", None), "extra_pnginfo", None)
    workflow = info.get("workflow") if isinstance(info, dict) else None
    found = workflow.get("id") if isinstance(workflow, dict) else None
    named = isinstance(found, str) and found.strip("0-")  # the frontend gives zeros to a graph that has no id
    return found if named else None


def check_interrupted() -> None:
    """Raises the host's own exception, which is no `Exception` in newer versions."""
    memory.throw_exception_if_processing_interrupted()


class Progress:
    """Bar and line of text on the running node."""

    def __init__(self, total: int) -> None:
        self._bar, self._node = comfy.utils.ProgressBar(total), node()[1]

    def update(self, value: int, text: str) -> None:
        self._bar.update_absolute(value)
        instance = _server()
        if instance is not None and self._node:
            instance.send_progress_text(text, self._node)


def announce(event: dict[str, Any]) -> None:
    """Tell every open browser that something happened to a run."""
    if (instance := _server()) is not None:
        instance.send_sync(EVENT, event)


def add_routes() -> None:
    """What the pack gives to a server that starts: its routes, and the inputs of its workflows."""
    from . import examples, routes, training_routes

    if (instance := _server()) is not None:
        routes.register(instance.routes, RUNS)
        site = training_routes.Site(jobs(), clip_folders, setting_folders, identity_folder, devices)
        training_routes.register(instance.routes, site)
        training_routes.keep_going(jobs())
        examples.offer(Path(folder_paths.get_input_directory()))


def _server() -> Any:
    return getattr(server.PromptServer, "instance", None)


def missing(packages: Sequence[str]) -> list[str]:
    """Those that are not installed."""
    return [name for name in packages if importlib.util.find_spec(name) is None]
