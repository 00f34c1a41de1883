import math

import pytest
import torch

from echotorrent_core.model.rope import axis, rotate, rotation, rotation_1d, split_pairs

CPU = torch.device("cpu")


@pytest.mark.parametrize(("head_dim", "split"), [(128, (22, 21, 21)), (32, (6, 5, 5)), (20, (4, 3, 3))])
def test_the_head_is_split_as_wan_does(head_dim, split):
    assert split_pairs(head_dim) == split


def test_every_axis_turns_its_own_pairs_from_frequency_one():
    x = torch.randn(1, 3 * 2 * 4, 2, 20)
    out = rotate(x, rotation((0, 1, 2), 2, 4, 20, 100.0, CPU)).reshape(3, 2, 4, 2, 20)
    x = x.reshape(3, 2, 4, 2, 20)
    first = {0: 0, 1: 4, 2: 7}  # first pair of time, height, width
    for t, h, w in ((2, 0, 0), (0, 1, 0), (0, 0, 3), (1, 1, 2)):
        for place, position in enumerate((t, h, w)):
            pair = slice(2 * first[place], 2 * first[place] + 2)
            turn = torch.tensor([[math.cos(position), -math.sin(position)], [math.sin(position), math.cos(position)]])
            torch.testing.assert_close(out[t, h, w, :, pair], x[t, h, w, :, pair] @ turn.T)
    assert axis(4, 1.0, 100.0).tolist() == pytest.approx([1, 100**-0.25, 100**-0.5, 100**-0.75])


def test_products_depend_on_distance_alone():
    torch.manual_seed(0)
    q, k = torch.randn(1, 1, 1, 16).expand(1, 3, 1, 16), torch.randn(1, 1, 1, 16).expand(1, 3, 1, 16)
    at, after = torch.tensor([0.0, 2.25, 18.5]), torch.tensor([3.5, 5.75, 22.0])
    products = (rotate(q, rotation_1d(at, 16)) * rotate(k, rotation_1d(after, 16))).sum(-1).flatten()
    torch.testing.assert_close(products, products[:1].expand(3))
    assert (products - (q * k).sum(-1).flatten()).abs().min() > 1e-3


def test_positions_may_differ_within_a_batch():
    x, positions = torch.randn(2, 5, 3, 8), 24 * torch.rand(2, 5)
    together = rotate(x, rotation_1d(positions, 8))
    for i in range(2):
        torch.testing.assert_close(together[i : i + 1], rotate(x[i : i + 1], rotation_1d(positions[i], 8)))


def test_rotation_keeps_length_and_type():
    x = torch.randn(1, 4, 2, 12, dtype=torch.bfloat16)
    out = rotate(x, rotation((5,), 2, 2, 12, 10000.0, CPU))
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float().norm(dim=-1), x.float().norm(dim=-1), atol=0.02, rtol=0.01)
