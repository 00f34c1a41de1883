"""The trunk, its audio adapter and rotary positions against InfiniteTalk's and Wan's classes.

Their output is the velocity e - x0, in the sign of `Trunk`; none of it is turned here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from echotorrent_core.config import AudioAdapterConfig, TrunkConfig
from echotorrent_core.model import rope, speakers
from echotorrent_core.model.audio_adapters import AudioProj, clamped_windows, latter_windows
from echotorrent_core.model.dit import Trunk
from echotorrent_core.model.history import FullContext, Geometry

from ..runner import Fixture, case

Pairs = Iterator[tuple[Any, ...]]


def trunk_of(fixture: Fixture, weights: str | None = None) -> Trunk:
    c = fixture.meta["config"]
    same = ("dim", "ffn_dim", "num_heads", "num_layers", "in_dim", "out_dim", "text_dim", "text_len", "freq_dim", "eps")
    audio = AudioAdapterConfig(c["audio_window"], **c["audio"]) if "audio" in c else None
    trunk = Trunk(TrunkConfig(**{key: c[key] for key in same}, image_dim=c["clip_dim"] or 0, audio=audio))
    trunk.load_state_dict(fixture.weights(weights))
    return trunk.eval()


class Recorder:
    """What modules return, by name."""

    def __init__(self, root: nn.Module, *names: str):
        self.seen: dict[str, Any] = {}
        for name in names:
            root.get_submodule(name).register_forward_hook(self._hook(name))

    def _hook(self, name: str) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            self.seen[name] = output

        return hook


def whole(trunk: Trunk, latents: Tensor) -> FullContext:
    geometry = Geometry(*trunk.grid(*latents.shape[-2:]), trunk.config.head_dim, trunk.config.rope_theta)
    return FullContext(geometry, trunk.attention)


class InfiniteTalk:
    """One fixture's trunk and inputs, called as its `calls` say."""

    def __init__(self, fixture: Fixture, weights: str | None = None, dtype: torch.dtype = torch.float32):
        self.io, self.trunk = fixture.io, trunk_of(fixture, weights).to(dtype)

    def __call__(
        self, t: float, context: str = "in/context", audio: Tensor | None = None, masks: Tensor | None = None
    ) -> Tensor:
        trunk, latents = self.trunk, self.io["in/latent"][None]
        return trunk(
            latents,
            torch.tensor([t / 1000]),
            self.io["in/y"][None],
            trunk.embed_text(self.io[context][None]),
            speakers.join(trunk.audio_proj(self.io["in/audio"] if audio is None else audio)),
            whole(trunk, latents),
            trunk.embed_image(self.io["in/clip_fea"]),
            None if masks is None else speakers.token_masks(masks, *trunk.grid(*latents.shape[-2:])),
        )[0]

    @property
    def silence(self) -> Tensor:
        """The condition without audio: zeros, for one speaker only."""
        return torch.zeros_like(self.io["in/audio"][-1:])


def audio_inputs(audio: Tensor) -> tuple[Tensor, Tensor]:
    """What the first and the later latents' projections read of windows (S, F, W, L, C)."""
    return audio[:, :1], latter_windows(audio[:, 1:])


@case("dit_single")
def single(fixture: Fixture) -> Pairs:
    model, calls = InfiniteTalk(fixture), fixture.meta["calls"]
    for name, call in calls.items():
        silent = call["audio"] != "in/audio"
        if name != "out/cond":
            yield name, model(call["t"], call["context"], model.silence if silent else None)
    layers = ("blocks.0", "blocks.1", "blocks.0.cross_attn", "blocks.0.audio_cross_attn", "head")
    embeddings = ("patch_embedding", "text_embedding", "img_emb")
    times = ("time_embedding", "time_projection")
    recorder = Recorder(model.trunk, *layers, *embeddings, *times, "blocks.0.self_attn", "audio_proj")
    yield "out/cond", model(calls["out/cond"]["t"])
    seen = recorder.seen
    yield from ((f"mid/{name}", seen[name].flatten(1, 2)) for name in layers)
    yield from ((f"mid/{name}", seen[name]) for name in embeddings)
    yield from ((f"mid/{name}", seen[name][:, 0]) for name in times)
    yield "mid/blocks.0.self_attn.0", seen["blocks.0.self_attn"][0].flatten(1, 2)
    yield "mid/audio_proj/out", seen["audio_proj"]
    for index, windows in enumerate(audio_inputs(fixture.io["in/audio"])):
        yield f"mid/audio_proj/in.{index}", windows


@case("dit_single_bf16")
def single_bf16(fixture: Fixture) -> Pairs:
    # The conditions come in bfloat16, too; they lie in the float32 fixture.
    io = Fixture(fixture.folder.parent / "dit_single").io
    inputs = {name: value if name == "in/latent" else value.bfloat16() for name, value in io.items()}
    model = InfiniteTalk(fixture, "dit_single", torch.bfloat16)
    model.io = inputs
    recorder = Recorder(model.trunk, "blocks.0", "time_projection", "audio_proj", "head")
    yield "out/cond", model(fixture.meta["t"])
    for name, where in (("blocks.0", "mid/blocks.0"), ("head", "mid/head")):
        yield where, recorder.seen[name].flatten(1, 2)
    yield "mid/time_projection", recorder.seen["time_projection"][:, 0]
    yield "mid/audio_proj", recorder.seen["audio_proj"]


@case("dit_two_speakers")
def two_speakers(fixture: Fixture) -> Pairs:
    model, masks = InfiniteTalk(fixture, "dit_single"), fixture.io["in/ref_target_masks"]
    t = fixture.meta["calls"]["out/cond"]["t"]
    yield "out/drop_audio", model(t, audio=model.silence)
    yield "out/cond_swapped_masks", model(t, masks=masks[[1, 0, 2]])
    blocks = ("blocks.0", "blocks.1", "blocks.0.audio_cross_attn", "blocks.1.audio_cross_attn")
    recorder = Recorder(model.trunk, *blocks, "blocks.0.self_attn", "blocks.1.self_attn", "audio_proj")
    yield "out/cond", model(t, masks=masks)
    yield from ((f"mid/{name}", recorder.seen[name].flatten(1, 2)) for name in blocks)
    yield from ((f"mid/blocks.{i}.self_attn.1", recorder.seen[f"blocks.{i}.self_attn"][1][0]) for i in range(2))
    yield "mid/audio_proj/out", recorder.seen["audio_proj"]
    for index, windows in enumerate(audio_inputs(fixture.io["in/audio"])):
        yield f"mid/audio_proj/in.{index}", windows


@case("dit_base_t2v", "dit_base_i2v")
def base(fixture: Fixture) -> Pairs:
    trunk, io = trunk_of(fixture), fixture.io
    latents, length = io["in/latent"], trunk.config.text_len
    texts = [io["in/context_0"], io["in/context_1"]]
    text = torch.stack([nn.functional.pad(x, (0, 0, 0, length - len(x))) for x in texts])
    image = trunk.embed_image(io["in/clip_fea"]) if "in/clip_fea" in io else None
    recorder = Recorder(trunk, "blocks.0", "blocks.1")
    sigma, text = io["in/t"] / 1000, trunk.embed_text(text)
    yield "out/v", trunk(latents, sigma, io.get("in/y"), text, None, whole(trunk, latents), image)
    yield from ((f"mid/{name}", output.flatten(1, 2)) for name, output in recorder.seen.items())


@case("audio_proj")
def audio_proj(fixture: Fixture) -> Pairs:
    c, io = fixture.meta["config"], fixture.io
    names = ("blocks", "channels", "intermediate_dim", "output_dim", "context_tokens")
    module = AudioProj(AudioAdapterConfig(c["audio_window"], **{name: c[name] for name in names}))
    weights = {k: v for k, v in fixture.weights("dit_single").items() if k.startswith("audio_proj.")}
    module.load_state_dict({key.removeprefix("audio_proj."): value for key, value in weights.items()})
    windows = io["in/audio_windows"]
    yield "out/context_tokens", module(windows)
    yield "out/windows_from_features", clamped_windows(io["in/features"], 31, windows.shape[1], c["audio_window"])
    first, latter = audio_inputs(windows)
    yield "mid/first_frame_windows", first
    yield "mid/latter_frame_windows", latter


@case("rope")
def rotary(fixture: Fixture) -> Pairs:
    io, device, theta = fixture.io, torch.device("cpu"), 10000.0
    for one in fixture.meta["cases"]:
        frames, rows, columns = one["grid_fhw"]
        assert list(rope.split_pairs(one["head_dim"])) == one["complex_split_fhw"]
        rotations = rope.rotation(tuple(range(frames)), rows, columns, one["head_dim"], theta, device)
        yield one["out"], rope.rotate(io[one["x"]], rotations)
    x = io["in/rope1d_x"]
    rotations = rope.rotation_1d(io["in/rope1d_pos"], x.shape[-1])
    yield "out/rope1d", rope.rotate(x.transpose(1, 2), rotations).transpose(1, 2)
    angles = torch.stack([torch.cat([rope.axis(p, t, theta) for p in rope.split_pairs(128)]) for t in range(64)])
    yield "out/freqs_cos_first64", angles.cos()
    yield "out/freqs_sin_first64", angles.sin()
