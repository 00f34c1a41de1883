"""Loading: the tensors of a file arrive, merged and cast; what does not fit is refused before anything is read."""

from __future__ import annotations

import dataclasses
import gc
import weakref
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from echotorrent_core.config import TrunkConfig
from echotorrent_core.errors import InputError
from echotorrent_core.estimate import LiveBytes
from echotorrent_core.model.dit import Trunk
from echotorrent_core.presets import get_preset
from echotorrent_core.vae.causal import CausalVAE
from echotorrent_core.weights import load
from echotorrent_core.weights.load import load_module, on_meta, shapes
from echotorrent_core.weights.lora import Lora
from echotorrent_core.weights.quantise import QuantisedLinear
from echotorrent_core.weights.source import Source, open_source

CONFIG = TrunkConfig(dim=24, ffn_dim=40, num_heads=2, num_layers=2, text_dim=8, image_dim=8, freq_dim=8, audio=None)


def trunk() -> Trunk:
    with on_meta():
        return Trunk(CONFIG)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "trunk.safetensors"
    save_file(Trunk(CONFIG).state_dict(), path)
    return path


def change(path: Path, **edits: Tensor | None) -> Path:
    """The file with tensors replaced, added (dots as __), or removed (None)."""
    source = open_source(path)
    tensors = {key: source.read(key) for key in source.keys()}  # noqa: SIM118 (not a dict)
    for name, value in edits.items():
        key = name.replace("__", ".")
        tensors.pop(key, None)
        if value is not None:
            tensors[key] = value
    save_file(tensors, path)
    return path


@dataclasses.dataclass(frozen=True)
class Watched(Source):
    """A source that keeps weak references to what it gave."""

    given: list = dataclasses.field(default_factory=list)

    def read(self, key: str, dtype: torch.dtype | None = None) -> Tensor:
        value = super().read(key, dtype)
        self.given.append(weakref.ref(value.untyped_storage()))
        return value


def watched(path: Path) -> Watched:
    source = open_source(path)
    return Watched(source.tensors, source.files, source.metadata)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_same_as_torch(dtype: torch.dtype, file: Path) -> None:
    expected = Trunk(CONFIG).to(dtype)
    expected.load_state_dict(torch.load(file) if file.suffix == ".pth" else _tensors(file))
    loaded = load_module(trunk(), open_source(file), dtype=dtype)
    assert loaded.state_dict().keys() == expected.state_dict().keys()
    for key, value in loaded.state_dict().items():
        assert value.dtype == dtype and torch.equal(value, expected.state_dict()[key]), key


def _tensors(path: Path) -> dict[str, Tensor]:
    source = open_source(path)
    return {key: source.read(key) for key in source.keys()}  # noqa: SIM118 (not a dict)


def test_a_trained_part_runs_as_before(tmp_path: Path) -> None:
    """The VAE's convolutions keep their weights in an order of their own, and its statistics are buffers."""
    config = dataclasses.replace(get_preset("debug").vae, linear_encoder=False)
    torch.manual_seed(0)
    vae = CausalVAE(config)
    vae.latent_mean.normal_()
    save_file({key: value.contiguous() for key, value in vae.state_dict().items()}, tmp_path / "vae.safetensors")
    with on_meta():
        empty = CausalVAE(config)
    loaded = load_module(empty, open_source(tmp_path / "vae.safetensors"), dtype=torch.float32)
    latents = torch.randn(1, config.z_dim, 2, 3, 4)
    with torch.no_grad():
        assert torch.equal(loaded.decode(latents)[0], vae.decode(latents)[0])
    assert {k: p.stride() for k, p in loaded.named_parameters()} == {k: p.stride() for k, p in vae.named_parameters()}


def test_buffers_that_no_file_holds_are_right(tmp_path: Path) -> None:
    class Positions(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(4, 2)
            self.register_buffer("ids", torch.arange(4), persistent=False)

    save_file({"table.weight": torch.ones(4, 2)}, tmp_path / "p.safetensors")
    source = open_source(tmp_path / "p.safetensors")
    with on_meta():
        module = Positions()
    assert module.table.weight.is_meta
    assert torch.equal(load_module(module, source, dtype=torch.float32).ids, torch.arange(4))
    with torch.device("meta"):
        module = Positions()
    with pytest.raises(RuntimeError, match="ids"):
        load_module(module, source, dtype=torch.float32)


def test_integers_keep_their_type(tmp_path: Path) -> None:
    module = nn.BatchNorm1d(3)
    module.num_batches_tracked.fill_(2**30 + 1)
    save_file(module.state_dict(), tmp_path / "norm.safetensors")
    with on_meta():
        empty = nn.BatchNorm1d(3)
    loaded = load_module(empty, open_source(tmp_path / "norm.safetensors"), dtype=torch.bfloat16)
    assert loaded.num_batches_tracked.dtype == torch.int64 and loaded.num_batches_tracked == 2**30 + 1
    assert loaded.running_var.dtype == torch.bfloat16


EDITS: dict[str, tuple[dict[str, Tensor | None], str]] = {
    "missing": ({"blocks__1__ffn__2__bias": None}, "missing blocks.1.ffn.2.bias"),
    "unexpected": ({"blocks__2__ffn__2__bias": torch.zeros(24)}, "unexpected blocks.2.ffn.2.bias"),
    "mis-shaped": ({"head__head__bias": torch.zeros(32)}, "head.head.bias is (32,) instead of (64,)"),
}


@pytest.mark.parametrize("case", EDITS)
@pytest.mark.parametrize("quantise", [None, "int8"])
def test_what_does_not_fit_is_refused_before_reading(case: str, quantise: str | None, file: Path) -> None:
    edits, says = EDITS[case]
    source, module = watched(change(file, **edits)), trunk()
    with pytest.raises(InputError) as error:
        load_module(module, source, dtype=torch.float32, quantise=quantise)
    assert str(error.value).startswith(str(file)) and says in str(error.value) and "\n" not in str(error.value)
    assert not source.given and module.head.head.weight.is_meta


def test_a_quantised_weight_that_is_not_finite(file: Path) -> None:
    bad = change(file, blocks__1__ffn__0__weight=torch.full((40, 24), float("nan")))
    with pytest.raises(InputError, match=r"'blocks\.1\.ffn\.0\.weight'"):
        load_module(trunk(), open_source(bad), dtype=torch.float32, quantise="fp8")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e5])
def test_values_that_are_not_finite(bad: float, file: Path) -> None:
    weight = torch.zeros(64, 24)
    weight[3, 4] = bad
    source, module = watched(change(file, head__head__weight=weight)), trunk()
    with pytest.raises(InputError, match=r"'head\.head\.weight'") as error:
        load_module(module, source, dtype=torch.float16)  # in which 1e5 is infinite
    assert str(file) in str(error.value)
    gc.collect()
    assert len(source.given) > 10
    assert sum(storage() is not None for storage in source.given) <= 2  # those of the frames that `error` holds
    assert all(p.is_meta for p in module.head.head.parameters())


@pytest.mark.parametrize("block", [1 << 20, 100])  # a weight at once, and a few of its rows at a time
def test_lora_is_merged_before_rounding(
    block: int, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "BLOCK", block)
    key = "blocks.0.self_attn.q"
    down, up = 1e-2 * torch.randn(4, 24), 1e-2 * torch.randn(24, 4)
    save_file({f"{key}.lora_A.weight": down, f"{key}.lora_B.weight": up}, tmp_path / "lora.safetensors")
    source, module = open_source(file), trunk()
    loras = [Lora.open(tmp_path / "lora.safetensors", strength, shapes(module)) for strength in (1.0, 0.5)]
    loaded = load_module(module, source, dtype=torch.bfloat16, loras=loras)
    expected = (source.read(f"{key}.weight") + 1.5 * up @ down).bfloat16()
    found = loaded.blocks[0].self_attn.q.weight
    assert (found != expected).float().mean() < 0.02  # float32 sums in another order may round elsewhere
    assert torch.allclose(found.float(), expected.float(), rtol=2**-7)
    assert torch.equal(loaded.blocks[0].self_attn.k.weight, source.read("blocks.0.self_attn.k.weight").bfloat16())


@pytest.mark.parametrize("quantise", [None, "int8"])
def test_memory_while_loading(quantise: str | None, file: Path) -> None:
    """Of tensors, at most the result and one tensor beside it: the file's mapping is not a tensor."""
    source, module = open_source(file), trunk()
    largest = max(source.read(key).nbytes for key in source.keys())  # noqa: SIM118 (not a dict)
    with LiveBytes() as live:
        loaded = load_module(module, source, dtype=torch.float32, quantise=quantise)
    result = sum(p.nbytes for p in loaded.state_dict().values())
    assert result <= live.peak <= result + 3 * largest
    assert isinstance(loaded.blocks[0].ffn[0], QuantisedLinear) == (quantise is not None)
