"""The trunk: Wan's diffusion transformer with InfiniteTalk's audio cross-attention. Parameter names are theirs.

It knows nothing of chunks, caches or ranks: self-attention hands q, k, v to a `Context` (model/history.py).

Precision: tokens have the dtype of the weights between blocks. With bfloat16 weights the time embeddings, modulation,
gated sums and the head are still computed in float32, and so is the output, as the published models were run.

Dimensions: B batch, C channels, T latents, n tokens of one latent, D model width, H heads, A audio tokens per latent,
L text tokens.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from .. import flow
from ..config import TrunkConfig
from .attention import Attention, get_attention
from .audio_adapters import AudioCrossAttention, AudioProj
from .history import Context
from .speakers import positions, reference_map

_ROWS = 512  # of a weight that are turned to float32 together


def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """x (B, T, n, D) with shift, scale (B, T, 1, D), float32."""
    return torch.addcmul(shift, x, 1 + scale)


class FloatLinear(nn.Linear):
    """A linear layer computed in float32, whatever precision its weights are kept in."""

    def forward(self, x: Tensor) -> Tensor:
        if self.weight.dtype == torch.float32:
            return super().forward(x.float())
        # Some rows at a time: a float32 copy of all weights costs more than the product.
        blocks = zip(self.weight.split(_ROWS), self.bias.split(_ROWS), strict=True)
        return torch.cat([F.linear(x.float(), weight.float(), bias.float()) for weight, bias in blocks], dim=-1)


class SelfAttention(nn.Module):
    def __init__(self, dim: int, num_heads: int, eps: float, attention: Attention):
        super().__init__()
        self.num_heads, self.attention = num_heads, attention
        self.q, self.k, self.v, self.o = (nn.Linear(dim, dim) for _ in range(4))
        self.norm_q, self.norm_k = nn.RMSNorm(dim, eps), nn.RMSNorm(dim, eps)

    def forward(
        self, x: Tensor, layer: int, context: Context, speakers: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """-> (B, T, n, D), and with the masks of two speakers the map of whom each token looks at (B, 3, T * n)."""
        q, k, v = self.norm_q(self.q(x)), self.norm_k(self.k(x)), self.v(x)
        q, k, v = (rearrange(a, "b t n (h d) -> b (t n) h d", h=self.num_heads) for a in (q, k, v))
        out = context.attend(layer, q, k, v)
        out = self.o(rearrange(out, "b (t n) h d -> b t n (h d)", t=x.shape[1]))
        if speakers is None:
            return out, None
        return out, reference_map(*context.reference(layer, q, k), speakers, self.attention)


class CrossAttention(nn.Module):
    """Text and, where the model has them, CLIP image tokens: attended apart, summed, projected once (Wan I2V)."""

    def __init__(self, dim: int, num_heads: int, eps: float, image: bool, attention: Attention):
        super().__init__()
        self.num_heads, self.attention = num_heads, attention
        self.q, self.k, self.v, self.o = (nn.Linear(dim, dim) for _ in range(4))
        self.norm_q, self.norm_k = nn.RMSNorm(dim, eps), nn.RMSNorm(dim, eps)
        if image:
            self.k_img, self.v_img, self.norm_k_img = nn.Linear(dim, dim), nn.Linear(dim, dim), nn.RMSNorm(dim, eps)

    def forward(self, x: Tensor, text: Tensor, image: Tensor | None) -> Tensor:
        heads = "b l (h d) -> b l h d"
        q = rearrange(self.norm_q(self.q(x)), "b t n (h d) -> b (t n) h d", h=self.num_heads)
        k = rearrange(self.norm_k(self.k(text)), heads, h=self.num_heads)
        v = rearrange(self.v(text), heads, h=self.num_heads)
        out = self.attention(q, k, v, None)
        if image is not None:
            k = rearrange(self.norm_k_img(self.k_img(image)), heads, h=self.num_heads)
            v = rearrange(self.v_img(image), heads, h=self.num_heads)
            out = out + self.attention(q, k, v, None)
        return self.o(rearrange(out, "b (t n) h d -> b t n (h d)", t=x.shape[1]))


class Block(nn.Module):
    def __init__(self, config: TrunkConfig, attention: Attention):
        super().__init__()
        dim, heads, eps = config.dim, config.num_heads, config.eps
        self.norm1 = nn.LayerNorm(dim, eps, elementwise_affine=False)
        self.self_attn = SelfAttention(dim, heads, eps, attention)
        self.norm3 = nn.LayerNorm(dim, eps)
        self.cross_attn = CrossAttention(dim, heads, eps, config.image_dim > 0, attention)
        if config.audio is not None:
            self.norm_x = nn.LayerNorm(dim, eps)
            self.audio_cross_attn = AudioCrossAttention(dim, heads, config.audio.output_dim, attention)
        self.norm2 = nn.LayerNorm(dim, eps, elementwise_affine=False)
        self.ffn = nn.Sequential(nn.Linear(dim, config.ffn_dim), nn.GELU("tanh"), nn.Linear(config.ffn_dim, dim))
        self.modulation = nn.Parameter(torch.randn(1, 6, dim) / dim**0.5)

    def forward(
        self,
        x: Tensor,
        time: Tensor,
        text: Tensor,
        image: Tensor | None,
        audio: Tensor | None,
        layer: int,
        context: Context,
        speakers: Tensor | None = None,
    ) -> Tensor:
        """x (B, T, n, D), time (B, T, 6, D) float32 -> (B, T, n, D)."""
        dtype = self.modulation.dtype  # not x's: under autocast the tokens stay float32
        shift1, scale1, gate1, shift2, scale2, gate2 = (self.modulation + time).unsqueeze(-2).unbind(2)
        attended, seen = self.self_attn(modulate(self.norm1(x), shift1, scale1).to(dtype), layer, context, speakers)
        x = torch.addcmul(x, attended, gate1).to(dtype)
        x = x + self.cross_attn(self.norm3(x), text, image)
        if audio is not None:
            x = x + self.audio_cross_attn(self.norm_x(x), audio, None if seen is None else positions(seen))
        return torch.addcmul(x, self.ffn(modulate(self.norm2(x), shift2, scale2).to(dtype)), gate2).to(dtype)


class Head(nn.Module):
    def __init__(self, config: TrunkConfig):
        super().__init__()
        self.norm = nn.LayerNorm(config.dim, config.eps, elementwise_affine=False)
        pt, ph, pw = config.patch
        self.head = FloatLinear(config.dim, pt * ph * pw * config.out_dim)
        self.modulation = nn.Parameter(torch.randn(1, 2, config.dim) / config.dim**0.5)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        shift, scale = (self.modulation + time.unsqueeze(2)).unsqueeze(-2).unbind(2)
        return self.head(modulate(self.norm(x), shift, scale))


class ImageEmbedding(nn.Module):
    """CLIP tokens (B, 257, image_dim) -> (B, 257, D)."""

    def __init__(self, image_dim: int, dim: int):
        super().__init__()
        self.proj = nn.Sequential(
            nn.LayerNorm(image_dim),
            nn.Linear(image_dim, image_dim),
            nn.GELU(),
            nn.Linear(image_dim, dim),
            nn.LayerNorm(dim),
        )

    def forward(self, tokens: Tensor) -> Tensor:
        return self.proj(tokens)


class Trunk(nn.Module):
    """The network. `forward` gives its raw output: the velocity e - x0, in the sign of Wan's checkpoints and of
    InfiniteTalk's (whose loop negates it, then adds), or the embedded family's residual; see `flow.to_x0`."""

    def __init__(self, config: TrunkConfig, attention: str = "sdpa"):
        super().__init__()
        self.config = config
        self.attention = get_attention(attention)
        dim = config.dim
        self.patch_embedding = nn.Conv3d(config.in_dim, dim, kernel_size=config.patch, stride=config.patch)
        self.text_embedding = nn.Sequential(nn.Linear(config.text_dim, dim), nn.GELU("tanh"), nn.Linear(dim, dim))
        self.time_embedding = nn.Sequential(FloatLinear(config.freq_dim, dim), nn.SiLU(), FloatLinear(dim, dim))
        self.time_projection = nn.Sequential(nn.SiLU(), FloatLinear(dim, 6 * dim))
        self.blocks = nn.ModuleList(Block(config, self.attention) for _ in range(config.num_layers))
        self.head = Head(config)
        if config.image_dim:
            self.img_emb = ImageEmbedding(config.image_dim, dim)
        if config.audio is not None:
            self.audio_proj = AudioProj(config.audio)
            if config.audio.inject:
                self.audio_inject = nn.Linear(config.audio.context_tokens * config.audio.output_dim, dim)

    def init_weights(self) -> None:
        """Initialisation for training from scratch: Xavier linears, zero output, audio injection at zero."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        nn.init.zeros_(self.head.head.weight)
        for layer in (*self.text_embedding, *self.time_embedding):
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=0.02)

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights and of the tokens between blocks."""
        return self.patch_embedding.weight.dtype

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Tokens per latent (rows, columns) for latents of height x width."""
        return height // self.config.patch[1], width // self.config.patch[2]

    def embed_text(self, text: Tensor) -> Tensor:
        """Text features (B, L, text_dim), L <= text_len -> tokens (B, text_len, D). Rows are padded with zeros before
        the projection and then attended without a mask (Wan)."""
        text = F.pad(text.to(self.dtype), (0, 0, 0, self.config.text_len - text.shape[1]))
        return self.text_embedding(text)

    def embed_image(self, tokens: Tensor) -> Tensor:
        """CLIP tokens (B, 257, image_dim) -> tokens (B, 257, D)."""
        return self.img_emb(tokens.to(self.dtype))

    def forward(
        self,
        latents: Tensor,
        sigma: Tensor,
        condition: Tensor | None,
        text: Tensor,
        audio: Tensor | None,
        context: Context,
        image: Tensor | None = None,
        speakers: Tensor | None = None,
    ) -> Tensor:
        """latents (B, out_dim, T, H, W) at levels sigma (B,) or (B, T) -> (B, out_dim, T, H, W) float32.

        condition (B, in_dim - out_dim, T, H, W), None where in_dim is out_dim; text, image: embedded tokens (B, L, D);
        audio tokens (B, T, A, audio_dim); speakers: with the joined audio of two, their masks and the background's
        over the reference picture (3, n) (model/speakers.py)."""
        batch, _, frames, height, width = latents.shape
        rows, columns = self.grid(height, width)
        x = latents if condition is None else torch.cat([latents, condition], dim=1)
        x = rearrange(self.patch_embedding(x.to(self.dtype)), "b d t h w -> b t (h w) d").contiguous()

        sigma = sigma[:, None].expand(batch, frames) if sigma.dim() == 1 else sigma
        features = flow.sinusoid(flow.timestep(sigma), self.config.freq_dim)
        time = self.time_embedding(features)
        if audio is not None and self.config.audio is not None and self.config.audio.inject:
            time = time + self.audio_inject(audio.flatten(2))
        modulation = self.time_projection(time).unflatten(-1, (6, -1))

        for layer, block in enumerate(self.blocks):
            x = block(x, modulation, text, image, audio, layer, context, speakers)

        x = self.head(x, time)
        pt, ph, pw = self.config.patch
        return rearrange(
            x, "b t (h w) (pt ph pw c) -> b c (t pt) (h ph) (w pw)", h=rows, w=columns, pt=pt, ph=ph, pw=pw
        )
