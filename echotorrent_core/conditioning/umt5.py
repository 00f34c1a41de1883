"""umT5, the text encoder of Wan: `transformers.UMT5EncoderModel` under three spellings of its weights.

A prompt becomes rows (1, L, dim), L tokens with the end-of-sequence token, unpadded: a padded and masked run gives
the same rows, and the trunk pads to its own length.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..errors import InputError
from ..weights.source import Source, TensorSource
from .published import building, count, fill, named, shape

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import UMT5Config, UMT5EncoderModel

_WHAT = "umT5 encoder"
_ATTENTION, _FFN = r"block.\1.layer.0", r"block.\1.layer.1"
_OFFICIAL = {  # Wan's own names, as in models_t5_umt5-xxl-enc-bf16.pth
    r"token_embedding\.weight": "embed_tokens.weight",
    r"norm\.weight": "final_layer_norm.weight",
    r"blocks\.(\d+)\.norm1\.weight": f"{_ATTENTION}.layer_norm.weight",
    r"blocks\.(\d+)\.attn\.([qkvo])\.weight": rf"{_ATTENTION}.SelfAttention.\2.weight",
    r"blocks\.(\d+)\.pos_embedding\.embedding\.weight": f"{_ATTENTION}.SelfAttention.relative_attention_bias.weight",
    r"blocks\.(\d+)\.norm2\.weight": f"{_FFN}.layer_norm.weight",
    r"blocks\.(\d+)\.ffn\.gate\.0\.weight": f"{_FFN}.DenseReluDense.wi_0.weight",
    r"blocks\.(\d+)\.ffn\.fc1\.weight": f"{_FFN}.DenseReluDense.wi_1.weight",
    r"blocks\.(\d+)\.ffn\.fc2\.weight": f"{_FFN}.DenseReluDense.wo.weight",
}
_LLAMA_CPP = {  # GGUF files
    r"token_embd\.weight": "embed_tokens.weight",
    r"enc\.output_norm\.weight": "final_layer_norm.weight",
    r"enc\.blk\.(\d+)\.attn_norm\.weight": f"{_ATTENTION}.layer_norm.weight",
    r"enc\.blk\.(\d+)\.attn_([qkvo])\.weight": rf"{_ATTENTION}.SelfAttention.\2.weight",
    r"enc\.blk\.(\d+)\.attn_rel_b\.weight": f"{_ATTENTION}.SelfAttention.relative_attention_bias.weight",
    r"enc\.blk\.(\d+)\.ffn_norm\.weight": f"{_FFN}.layer_norm.weight",
    r"enc\.blk\.(\d+)\.ffn_gate\.weight": f"{_FFN}.DenseReluDense.wi_0.weight",
    r"enc\.blk\.(\d+)\.ffn_up\.weight": f"{_FFN}.DenseReluDense.wi_1.weight",
    r"enc\.blk\.(\d+)\.ffn_down\.weight": f"{_FFN}.DenseReluDense.wo.weight",
}
_TRANSFORMERS = {r"shared\.weight": "embed_tokens.weight", r"encoder\.(.+)": r"\1"}
_QUOTES = str.maketrans(dict.fromkeys("‘’‚‛", "'") | dict.fromkeys("“”„‟", '"'))


def umt5_xxl() -> UMT5Config:
    """The encoder of umT5-xxl, 5.68 billion parameters."""
    return _config(vocab=256384, dim=4096, ffn=10240, heads=64, head_dim=64, layers=24, buckets=32)


def umt5_config(source: TensorSource) -> UMT5Config:
    """Configuration that fits weights named by `umt5_names`. InputError for other weights."""
    vocab, dim = shape(source, "embed_tokens.weight", 2, _WHAT)
    buckets, heads = shape(source, "block.0.layer.0.SelfAttention.relative_attention_bias.weight", 2, _WHAT)
    inner, _ = shape(source, "block.0.layer.0.SelfAttention.q.weight", 2, _WHAT)
    ffn, _ = shape(source, "block.0.layer.1.DenseReluDense.wi_0.weight", 2, _WHAT)
    return _config(vocab, dim, ffn, heads, inner // heads, count(source, r"block\.(\d+)\."), buckets)


def _config(vocab: int, dim: int, ffn: int, heads: int, head_dim: int, layers: int, buckets: int) -> UMT5Config:
    from transformers import UMT5Config

    return UMT5Config(
        vocab_size=vocab,
        d_model=dim,
        d_kv=head_dim,
        d_ff=ffn,
        num_layers=layers,
        num_heads=heads,
        relative_attention_num_buckets=buckets,
        relative_attention_max_distance=128,
        layer_norm_epsilon=1e-6,
        feed_forward_proj="gated-gelu",  # the tanh approximation
        dropout_rate=0.0,
        is_encoder_decoder=False,
        use_cache=False,
    )


def umt5_names(source: TensorSource) -> Source:
    """Official, llama.cpp or `transformers` names -> those of `UMT5EncoderModel.encoder`."""
    stored_twice = any(key.endswith("shared.weight") for key in source.keys())  # noqa: SIM118 (not a dict)
    ignored = r"encoder\.embed_tokens\.weight" if stored_twice else ""
    return named(source, _OFFICIAL | _LLAMA_CPP | _TRANSFORMERS, ignored)


def load_umt5(
    source: TensorSource, dtype: torch.dtype = torch.bfloat16, device: torch.device | str = "cpu"
) -> UMT5EncoderModel:
    """The encoder, its size read from the weights. InputError if they are not a umT5 encoder's."""
    from transformers import UMT5EncoderModel

    weights = umt5_names(source)
    with building(weights, _WHAT):
        model = UMT5EncoderModel(umt5_config(weights))
    model.shared = model.encoder.embed_tokens  # one module: the largest tensor is read and kept once
    fill(model.encoder, weights, dtype, device)
    return model.eval()


class TextEncoder:
    """Prompt -> rows for the trunk's text cross-attention. The tokenizer comes from `tokens.load_tokenizer`."""

    def __init__(self, model: UMT5EncoderModel, tokenizer: Tokenizer) -> None:
        self.model, self.tokenizer = model, tokenizer
        tokens, rows = tokenizer.get_vocab_size(), model.config.vocab_size
        if tokens > rows:
            raise InputError(
                f"the tokenizer has {tokens} tokens, the text encoder only {rows}; give the tokenizer that belongs to "
                "the encoder (google/umt5-xxl for Wan)"
            )

    def encode(self, prompt: str) -> Tensor:
        """Rows (1, L, dim); what exceeds the tokenizer's limit is cut before the end-of-sequence token."""
        return encode_ids(self.model, self.tokenizer.encode(clean(prompt)).ids)


@torch.no_grad()
def encode_ids(model: UMT5EncoderModel, ids: list[int]) -> Tensor:
    """Token ids, end of sequence included -> rows (1, L, dim)."""
    return model(input_ids=torch.tensor([ids], device=model.device)).last_hidden_state


def clean(prompt: str) -> str:
    """Prompt as Wan cleans it: HTML entities resolved (twice), composed characters, straight quotes, single spaces.

    Wan runs the `ftfy` package first; of its repairs only those that well-formed prompts need are made here. Text that
    was once decoded with the wrong encoding stays as it is.
    """
    text = unicodedata.normalize("NFC", html.unescape(html.unescape(prompt))).translate(_QUOTES)
    return re.sub(r"\s+", " ", text).strip()
