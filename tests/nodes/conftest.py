import sys

import pytest

from tests.nodes.fake_comfy import PACK, Host, part

INFO = {"preset": "debug", "fingerprint": "f", "seed": 0, "fps": 25, "size": [32, 48]}


@pytest.fixture
def runs(tmp_path):
    """The runs of a host without any."""
    (tmp_path / "output").mkdir()
    return part("nodes.runs").Runs(lambda: [tmp_path / "output", tmp_path / "temp"])


@pytest.fixture
def host(tmp_path, monkeypatch):
    """The pack's nodes in a pretended ComfyUI."""
    pretended = Host(tmp_path)
    for name, module in pretended.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    pretended.free = 1 << 33
    sys.modules["comfy"].model_management.get_free_memory = lambda device: pretended.free
    yield pretended
    free = (
        "guard",
        "runs",
        "progressive",
        "prompts",
        "lazy",
        "routes",
        "training_routes",
        "training_requests",
    )  # know nothing of the host
    for name in [name for name in sys.modules if name.startswith(f"{PACK}.nodes.")]:
        if name.rpartition(".")[2] not in free:
            del sys.modules[name]


@pytest.fixture
def nodes(host):
    """Node classes by id."""
    import asyncio

    extension = part("nodes.extension").EchoTorrent()
    found = asyncio.run(extension.get_node_list())
    return {node.define_schema().node_id: node for node in found}
