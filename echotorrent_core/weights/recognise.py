"""What weights are, by their keys and shapes: which part of the engine, of which family, size and precision."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from ..config import AudioAdapterConfig, TrunkConfig
from ..errors import InputError
from .families import RELATIVES, STRANGE_LORAS, STRANGERS, first_match, size, title
from .layouts import LAYOUTS, Kind, find_layout, official
from .tensors import Source, TensorSource

HEAD_DIM = 128  # of every published trunk; weights do not tell
FEATURES = 768  # width of the speech features of every published adapter, likewise

KINDS: dict[Kind, str] = {
    "trunk": "a Wan 2.1, InfiniteTalk or FlashTalk model",
    "audio_adapter": "an InfiniteTalk audio adapter",
    "vae": "a Wan 2.1 VAE",
    "umt5": "a umT5 text encoder",
    "clip_vision": "a CLIP image encoder",
    "wav2vec2": "a wav2vec 2.0 speech encoder",
    "lora": "a LoRA for one of these",
}
EXPECTED = ", ".join(KINDS.values())

LORA = re.compile(r"\.(lora_(A|B|down|up)(\.\w+)?\.weight|alpha|diff(_[bm])?|dora_scale|(hada|lokr)_w\d\w*)$")
LORA_BLOCK = re.compile(
    r"^(?:.*\.)?(?:lora_unet__?|lora_transformer_|lycoris_)?blocks[._](\d+)[._]"
    r"((?:(?:self_attn|cross_attn|attn[12]|audio_cross_attn|ffn|norm3|norm2|norm_x|modulation)[._]|diff_m$).*)$"
)
LORA_FROM_MODEL_WIDTH = re.compile(  # halves that read tokens of the trunk's width
    r"((self_attn|cross_attn|attn[12])[._].*|ffn[._](0|net[._]0[._]proj)[._])lora_(A|down)[._]"
)


@dataclass(frozen=True)
class Part:
    """kind `other`: a model that is known and not run here. facts: sizes by name, as far as weights tell them, in the
    words of the config classes. source: under official names (encoders keep the names they come with)."""

    kind: Kind
    family: str
    facts: dict[str, Any]
    precision: str
    source: Source

    @property
    def title(self) -> str:
        return ("LoRA for " if self.kind == "lora" else "") + title(self.family)


def recognise(source: TensorSource) -> Part:
    """The part that a file is, or that several make together. InputError names what comes nearest if it is none."""
    view = official(source)
    found, keys = find_layout(view), view.keys()
    if found is not None:
        kind, family, facts = _READERS[found[0].kind](_Shapes(view))
    elif keys and sum(bool(LORA.search(key)) for key in keys) > len(keys) / 2:
        kind, family, facts = _lora(view)
    else:
        raise InputError(f"{_file(view)}: {_unknown(keys)}; expected {EXPECTED}")
    return Part(kind, family, facts, precision(view), view)


def require(part: Part, *kinds: Kind) -> Part:
    """`part` if it is one of `kinds`, InputError otherwise."""
    if part.kind in kinds:
        return part
    wanted = " or ".join(KINDS[kind] for kind in kinds)
    if part.kind == "other":
        raise InputError(f"{_file(part.source)}: is {part.title}, which is not supported; expected {wanted}")
    advice = "; give it as a LoRA, beside a model" if part.kind == "lora" else ""
    raise InputError(f"{_file(part.source)}: is {KINDS[part.kind]} ({part.title}); expected {wanted}{advice}")


def precision(source: Source) -> str:
    """How most of the weights are stored: 'bf16', 'fp8_e4m3 scaled', 'gguf Q8_0', ..."""
    elements: Counter[str] = Counter()
    for tensor in source.tensors.values():
        elements[tensor.stored] += math.prod(tensor.shape)
    return elements.most_common(1)[0][0] if elements else ""


def trunk_config(part: Part, num_heads: int | None = None) -> TrunkConfig:
    """The configuration that a recognised trunk's weights fit. num_heads: of a trunk whose heads are not 128 wide."""
    facts = dict(require(part, "trunk").facts)
    audio = facts.pop("audio", None)
    heads = num_heads or facts["num_heads"]
    return TrunkConfig(**facts | {"num_heads": heads, "audio": AudioAdapterConfig(**audio) if audio else None})


# One reader per kind: (kind, family, facts)

Reading = tuple[Kind, str, dict[str, Any]]


class _Shapes:
    """Sizes of a source's tensors; InputError for those it lacks."""

    def __init__(self, source: TensorSource):
        self.shapes = {key: source.shape(key) for key in source.keys()}  # noqa: SIM118 (not a dict)
        self.file = _file(source)

    def __contains__(self, key: str) -> bool:
        return key in self.shapes

    def __call__(self, key: str, axis: int = 0) -> int:
        shape = self.shapes.get(key)
        if shape is None or len(shape) <= axis or shape[axis] == 0:
            found = "missing" if shape is None else f"of shape {shape}"
            raise InputError(f"{self.file}: '{key}' is {found}; the file is incomplete or damaged: download it again")
        return shape[axis]

    def count(self, pattern: str) -> int:
        """How many different numbers the pattern's group takes."""
        return len({match[1] for key in self.shapes if (match := re.match(pattern, key))})

    def any(self, pattern: str) -> bool:
        return any(re.match(pattern, key) for key in self.shapes)


def _trunk(of: _Shapes) -> Reading:
    dim, layers = of("patch_embedding.weight"), of.count(r"blocks\.(\d+)\.")
    relative = next((family for family, pattern in RELATIVES if of.any(pattern)), None)
    if relative == "livetalk" and size(dim, layers) == "14b":
        relative = "omniavatar_14b"
    if relative not in (None, "echotorrent"):
        return "other", relative, {"dim": dim, "num_layers": layers}
    patch = tuple(of("patch_embedding.weight", axis) for axis in (2, 3, 4))
    facts: dict[str, Any] = {
        "dim": dim,
        "num_heads": max(1, dim // HEAD_DIM),
        "num_layers": layers,
        "ffn_dim": of("blocks.0.ffn.0.weight"),
        "in_dim": of("patch_embedding.weight", 1),
        "out_dim": of("head.head.weight") // math.prod(patch),
        "patch": patch,
        "text_dim": of("text_embedding.0.weight", 1),
        "freq_dim": of("time_embedding.0.weight", 1),
        "image_dim": of("img_emb.proj.0.weight") if "img_emb.proj.0.weight" in of else 0,
    }
    if of.any(r"blocks\.\d+\.audio_cross_attn\."):
        facts["audio"] = _audio(of) | ({"inject": True} if relative == "echotorrent" else {})
    kind, family = _wan(facts, relative)
    return kind, family, facts


def _wan(facts: dict[str, Any], relative: str | None) -> tuple[Kind, str]:
    channels, latents, suffix = facts["in_dim"], facts["out_dim"], "_" + size(facts["dim"], facts["num_layers"])
    conditioned = channels == 2 * latents + 4  # noisy latents, mask, condition latents
    if relative is not None:
        return "trunk", relative
    if "audio" in facts and conditioned and facts["image_dim"]:
        return "trunk", "infinitetalk" + suffix
    if "audio" in facts:
        return "other", "wan_relative"
    if conditioned:
        return ("trunk", "wan2.1_i2v" + suffix) if facts["image_dim"] else ("other", "wan2.2_i2v" + suffix)
    if channels == latents == 48:
        return "other", "wan2.2_ti2v_5b"
    if channels == latents and not facts["image_dim"]:
        return "trunk", "wan2.1_t2v" + suffix
    return "other", "wan_relative"


def _adapter(of: _Shapes) -> Reading:
    facts = {"dim": of("blocks.0.audio_cross_attn.q_linear.weight"), "num_layers": of.count(r"blocks\.(\d+)\.")}
    family = "infinitetalk_adapter_" + size(facts["dim"], facts["num_layers"])
    return "audio_adapter", family, facts | {"audio": _audio(of)}


def _audio(of: _Shapes) -> dict[str, int]:
    """`proj1` reads a window of frames, `proj1_vf` three frames more, each of so many features."""
    first, later = of("audio_proj.proj1.weight", 1), of("audio_proj.proj1_vf.weight", 1)
    features, rest = divmod(later - first, 3)
    if features <= 0 or rest or first % features:
        raise InputError(
            f"{of.file}: its audio projection reads {first} and {later} values; expected a window of frames and that "
            "window with three frames more"
        )
    channels = FEATURES if features % FEATURES == 0 else features
    output_dim = of("blocks.0.audio_cross_attn.kv_linear.weight", 1)
    return {
        "window": first // features,
        "blocks": features // channels,
        "channels": channels,
        "intermediate_dim": of("audio_proj.proj1.weight"),
        "output_dim": output_dim,
        "context_tokens": of("audio_proj.proj3.weight") // output_dim,
    }


def _vae(of: _Shapes) -> Reading:
    """Residual blocks and, after each resolution but the last, a resampling, numbered through."""
    stem, widths, temporal, blocks = "encoder.downsamples", [0], [], 0
    while of.any(rf"{stem}\.{blocks}\."):
        if f"{stem}.{blocks}.resample.1.weight" in of:
            temporal.append(f"{stem}.{blocks}.time_conv.weight" in of)
            widths.append(0)
        else:
            widths[-1] = of(f"{stem}.{blocks}.residual.2.weight")
        blocks += 1
    facts = {
        "z_dim": of("conv2.weight"),
        "widths": tuple(widths),
        "num_res_blocks": (blocks - len(temporal)) // len(widths),
        "temporal": tuple(temporal),
    }
    published = (facts["z_dim"], *widths) == (16, 96, 192, 384, 384)
    return "vae", "wan2.1_vae" if published else "wan2.1_vae_custom", facts


def _umt5(of: _Shapes) -> Reading:
    names = ("token_embedding.weight", "shared.weight", "encoder.embed_tokens.weight", "token_embd.weight")
    table = next((name for name in names if name in of), names[1])
    facts = {
        "vocab": of(table),
        "dim": of(table, 1),
        "layers": of.count(r"(?:encoder\.block|blocks|enc\.blk)\.(\d+)\."),
    }
    return "umt5", "umt5_xxl" if (facts["dim"], facts["layers"]) == (4096, 24) else "umt5", facts


def _clip(of: _Shapes) -> Reading:
    official_names = "cls_embedding" in of
    table = "pos_embedding" if official_names else "vision_model.embeddings.position_embedding.weight"
    facts = {
        "tokens": of(table, int(official_names)),
        "dim": of(table, 1 + int(official_names)),
        "layers": of.count(r"(?:transformer|vision_model\.encoder\.layers)\.(\d+)\."),
    }
    return "clip_vision", "clip_vit_h" if (facts["dim"], facts["layers"]) == (1280, 32) else "clip_vision", facts


def _wav2vec2(of: _Shapes) -> Reading:
    facts = {
        "dim": of("encoder.layers.0.attention.q_proj.weight"),
        "layers": of.count(r"encoder\.layers\.(\d+)\."),
    }
    named = {(768, 12): "wav2vec2_base", (1024, 24): "wav2vec2_large"}
    return "wav2vec2", named.get((facts["dim"], facts["layers"]), "wav2vec2"), facts


_READERS = {
    "trunk": _trunk,
    "audio_adapter": _adapter,
    "vae": _vae,
    "umt5": _umt5,
    "clip_vision": _clip,
    "wav2vec2": _wav2vec2,
}


def _lora(source: Source) -> Reading:
    keys = source.keys()
    blocks = [match for match in map(LORA_BLOCK.match, keys) if match]
    if not blocks:
        stranger = first_match(STRANGE_LORAS, keys) or ("an unknown model", keys[0])
        raise InputError(
            f"{_file(source)}: is a LoRA for {stranger[0]}, by keys such as '{stranger[1]}'; expected one for Wan 2.1 "
            "or InfiniteTalk"
        )
    shapes = {match[0]: source.shape(match[0]) for match in blocks if LORA_FROM_MODEL_WIDTH.match(match[2])}
    halves = {shape for shape in shapes.values() if len(shape) == 2}
    rank, dim = max(halves, default=(0, 0))
    facts = {
        "dim": dim,
        "rank": rank,
        "layers": 1 + max(int(match[1]) for match in blocks),
        "image": any(re.search(r"k_img|add_k_proj", key) for key in keys),
    }
    family = "wan2.1_" + {5120: "14b", 1536: "1.3b"}.get(dim, "custom")
    peer = first_match(((name, rf"(^|[._]){pattern}") for name, pattern in RELATIVES), keys)
    return "lora", peer[0] if peer else family, facts


def _unknown(keys: list[str]) -> str:
    """What comes nearest to a file of none of the layouts."""
    if not keys:
        return "holds no tensors"
    stranger = first_match(STRANGERS, keys)
    if stranger is not None:
        return f"holds another model ({stranger[0]}, by keys such as '{stranger[1]}')"
    words = {word for key in keys for word in key.split(".")}
    share, layout = max(((_share(layout.words, words), layout) for layout in LAYOUTS), key=lambda pair: pair[0])
    if share < 0.4:
        return f"holds {len(keys)} tensors that fit no known model, such as '{keys[0]}'"
    missing = next(shown for shown in layout.shown_by if not any(key.endswith(shown) for key in keys))
    return f"comes nearest to {KINDS[layout.kind]} in {layout.spelling} names, but lacks '{missing}'"


def _share(words: str, found: set[str]) -> float:
    expected = set(words.split())
    return len(expected & found) / len(expected)


def _file(source: TensorSource) -> str:
    more = len(source.files) - 1
    return f"{source.files[0]}" + (f" and {more} more" if more else "")
