"""A real ComfyUI with this checkout as its node pack, in a window of your browser: `make comfyui`.

Where it comes from is said in tests/nodes/comfy_host.py: COMFYUI_PATH and COMFYUI_PYTHON, or packages on PyPI (2 GB,
once). Its folders are below out/comfyui and stay.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tests.nodes import comfy_host  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--version", choices=comfy_host.versions(), default=comfy_host.versions()[0])
    args = parser.parse_args()
    base = ROOT / "out" / "comfyui"
    settings = base / "user" / "default" / "comfy.settings.json"
    if not settings.exists():
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text(json.dumps({"Comfy.TutorialCompleted": True}))  # its dialogue would lie over the graph
    print("ComfyUI is starting; the first time, what it needs is fetched, which takes minutes", flush=True)
    try:
        server = comfy_host.Server(args.version, base, csp=False)
    except comfy_host.Unavailable as reason:
        sys.exit(f"no ComfyUI: {reason}; set COMFYUI_PATH to one that you have, and COMFYUI_PYTHON to its Python")
    try:
        with server:
            print(f"{server.url}  open it, then Templates, EchoTorrent, quick_start, Run. Ctrl-C ends ComfyUI.")
            print(f"videos: {base / 'output' / 'echotorrent'}   log: {base / 'comfyui.log'}", flush=True)
            server.process.wait()
    except KeyboardInterrupt:
        return
    sys.exit(f"ComfyUI ended; its log is {base / 'comfyui.log'}")


if __name__ == "__main__":
    main()
