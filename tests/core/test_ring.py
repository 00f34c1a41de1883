import pytest
import torch

from echotorrent_core.config import LayerPolicy
from echotorrent_core.model.history import History
from echotorrent_core.model.ring import FLOAT8, Ring

CAPACITY, TOKENS, HEADS, WIDTH = 3, 4, 2, 6


def latents(count, seed=0):
    """Heads of very different size, as keys and values have."""
    x = torch.randn(1, count * TOKENS, HEADS, WIDTH, generator=torch.Generator().manual_seed(seed))
    return x * torch.tensor([1000.0, 1e-3])[:, None]


@pytest.mark.parametrize(
    ("dtype", "error"), [(torch.float32, 0.0), (torch.bfloat16, 2**-8), (torch.float16, 2**-10), (FLOAT8, 2**-4)]
)
def test_what_is_written_is_read_to_the_precision_of_the_type(dtype, error):
    ring, x = Ring.empty(latents(1), CAPACITY, TOKENS, dtype), latents(CAPACITY)
    for place in range(CAPACITY):
        ring.write(place, x[:, place * TOKENS : (place + 1) * TOKENS])
    read = ring.read(torch.float32)
    assert read.dtype == torch.float32
    # relative to the value, or for the smallest ones to the largest of their latent and head
    largest = x.unflatten(1, (CAPACITY, TOKENS)).abs().amax((2, 4), keepdim=True).expand(-1, -1, TOKENS, -1, WIDTH)
    assert ((read - x).abs() <= error * x.abs() + error * 2**-8 * largest.flatten(1, 2)).all()


def test_float8_halves_bfloat16_but_for_its_scales():
    size = {
        d: sum(t.nbytes for t in Ring.empty(latents(1), 12, 256, d).tensors().values())
        for d in (torch.bfloat16, FLOAT8)
    }
    assert size[FLOAT8] < 0.55 * size[torch.bfloat16]


@pytest.mark.parametrize("dtype", [None, torch.bfloat16, FLOAT8])
def test_a_history_of_any_precision_survives_saving(dtype):
    history = History([LayerPolicy(CAPACITY), LayerPolicy(0)], 2, TOKENS, dtype)
    for seed in range(3):
        for slot in range(2):
            history.stage(slot, 0, latents(2, seed), latents(2, seed + 10))
        history.commit(2)
    copy = History([LayerPolicy(CAPACITY), LayerPolicy(0)], 2, TOKENS, dtype)
    copy.load_tensors(history.tensors(), history.written)
    for slot in range(2):
        for mine, other in zip(history.read(slot, 0, latents(1)), copy.read(slot, 0, latents(1)), strict=True):
            assert torch.equal(mine, other)
            assert mine.abs().sum() > 0
