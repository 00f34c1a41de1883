"""What is said about weight files: their family, and what is missing beside them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from echotorrent_core import cli, inspect_files
from echotorrent_core.config import AudioAdapterConfig, TrunkConfig, VAEConfig
from echotorrent_core.inspect_files import NEEDS, inspect
from echotorrent_core.model.dit import Trunk
from echotorrent_core.vae.causal import CausalVAE
from echotorrent_core.weights.load import on_meta, shapes
from echotorrent_core.weights.parts import ASSETS
from echotorrent_core.weights.source import Source
from echotorrent_core.weights.tensors import StoredTensor

Shapes = dict[str, tuple[int, ...]]


def of(make: type[nn.Module], config: object) -> Shapes:
    with on_meta():
        return shapes(make(config))


def models() -> dict[str, Shapes]:
    """Published models by their keys and shapes (of the encoders, as much as they are known by)."""
    merged = of(Trunk, TrunkConfig())
    audio = {key: shape for key, shape in merged.items() if "audio" in key or "norm_x" in key}
    base = {key: shape for key, shape in merged.items() if key not in audio}
    t5 = {f"encoder.block.{i}.layer.0.SelfAttention.relative_attention_bias.weight": (32, 64) for i in range(24)}
    t5_kept = {f"encoder.block.{i}.layer.0.SelfAttention.q.weight": (4096, 4096) for i in range(24)}
    clip = {f"transformer.{i}.attn.to_qkv.weight": (3840, 1280) for i in range(32)}
    speech = {f"encoder.layers.{i}.attention.q_proj.weight": (768, 768) for i in range(12)}
    return {
        "merged": merged,
        "base": base,
        "adapter": audio,
        "vae": of(CausalVAE, VAEConfig()),
        "umt5": {"shared.weight": (256384, 4096)} | t5 | t5_kept,
        "clip": {"visual.cls_embedding": (1, 1, 1280), "visual.pos_embedding": (1, 257, 1280)}
        | {f"visual.{key}": shape for key, shape in clip.items()},
        "wav2vec2": {"feature_extractor.conv_layers.0.conv.weight": (512, 1, 10)} | speech,
        "t2v": of(Trunk, TrunkConfig(in_dim=16, image_dim=0, audio=None)),
        "lora": {
            f"diffusion_model.blocks.0.self_attn.q.lora_{half}.weight": shape
            for half, shape in (("down", (64, 5120)), ("up", (5120, 64)))
        },
    }


@pytest.fixture(scope="module")
def published() -> dict[str, Shapes]:
    return models()


@pytest.fixture
def files(published: dict[str, Shapes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """A file for every model, which opens as if it held its tensors."""
    paths = {name: tmp_path / f"{name}.safetensors" for name in published}

    def source(path: Path, allow_pickle: bool = False) -> Source:
        if path not in sources:
            return original(path, allow_pickle=allow_pickle)
        return sources[path]

    def stored(path: Path, shape: tuple[int, ...]) -> StoredTensor:
        return StoredTensor(shape, torch.bfloat16, "bf16", path, lambda: pytest.fail("was read"))

    sources = {}
    for name, path in paths.items():
        path.write_bytes(b"")
        tensors = {key: stored(path, shape) for key, shape in published[name].items()}
        extras = {"spiece_model": stored(path, (1,))} if name == "umt5" else {}
        sources[path] = Source(tensors, (path,), extras=extras)
    original = inspect_files.open_source
    monkeypatch.setattr(inspect_files, "open_source", source)
    return paths


ALL = ("base", "adapter", "vae", "umt5", "clip", "wav2vec2")


def report(files: dict[str, Path], *names: str) -> str:
    found = inspect([files[name] for name in names])
    assert not found.problems
    return "\n".join(found.lines)


def test_nothing_is_missing_beside_all_parts(files: dict[str, Path]) -> None:
    assert report(files, *ALL).endswith("nothing is missing to run infinitetalk_14b")
    assert report(files, "merged", *ALL[2:]).endswith("nothing is missing to run infinitetalk_14b")


@pytest.mark.parametrize("left_out", ALL)
def test_each_part_is_missed(left_out: str, files: dict[str, Path]) -> None:
    text = report(files, *(name for name in ALL if name != left_out))
    _, _, missing = text.partition("missing to run infinitetalk_14b")
    assert [need.title for need in NEEDS if f"\n  {need.title}\n" in missing] == [NEEDS[ALL.index(left_out)].title]
    assert all(where in missing for where in NEEDS[ALL.index(left_out)].where)


def test_an_adapter_alone(files: dict[str, Path]) -> None:
    text = report(files, "adapter")
    assert f"{files['adapter']}: " in text and "stored as bf16" in text and "2.49 G parameters" in text
    assert "InfiniteTalk audio adapter\n" not in text and "Wan-AI/Wan2.1-I2V-14B-480P: Wan2.1_VAE.pth" in text


def test_sizes_of_a_trunk(files: dict[str, Path]) -> None:
    text = report(files, "merged")
    assert "18.9 G parameters" in text and "dim 5120" in text and "layers 40" in text and "blocks 12" in text


def test_a_text_encoder_without_its_tokenizer(
    files: dict[str, Path], published: dict[str, Shapes], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = inspect_files.open_source(files["umt5"])
    opened.extras.clear()  # type: ignore[attr-defined]
    assert "tokenizer of umT5-xxl" in report(files, *ALL)


def test_models_that_no_preset_runs(files: dict[str, Path]) -> None:
    assert "no preset runs it alone" in report(files, "t2v")
    assert "SoulX-FlashTalk-14B" in report(files, "lora")  # everything is missing, and two ways to have the trunk


def test_the_embedded_model() -> None:
    lines = inspect([ASSETS / "embedded" / "trunk.safetensors"]).lines
    assert "fp16" in lines[1] and " M parameters" in lines[1]
    assert lines[-1].startswith("runs with")


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    config = TrunkConfig(
        dim=24, ffn_dim=40, num_heads=2, num_layers=2, text_dim=8, image_dim=8, freq_dim=8,
        audio=AudioAdapterConfig(channels=8, intermediate_dim=8, output_dim=8, context_tokens=2),
    )  # fmt: skip
    save_file(Trunk(config).state_dict(), tmp_path / "tiny.safetensors")
    (tmp_path / "notes.txt").write_text("nothing to see")
    assert cli.main(["inspect", str(tmp_path / "tiny.safetensors"), str(tmp_path / "notes.txt")]) == 2
    out, error = capsys.readouterr()
    assert "tiny.safetensors: " in out and "dim 24" in out and "missing to run" in out
    assert error.startswith("echotorrent: ") and "notes.txt" in error and error.count("\n") == 1
    (tmp_path / "below").mkdir()
    (tmp_path / "tiny.safetensors").rename(tmp_path / "below" / "tiny.safetensors")
    assert cli.main(["inspect", str(tmp_path)]) == 0  # a folder is searched for weights
    assert "dim 24" in capsys.readouterr().out
    (tmp_path / "empty").mkdir()
    assert cli.main(["inspect", str(tmp_path / "empty")]) == 2
    assert "no weight files" in capsys.readouterr().err
