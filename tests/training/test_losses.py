"""Losses on pixels: what they prefer, where their gradients go, and their known values."""

import sys

import pytest
import torch
import torch.nn.functional as F

from echotorrent_core.errors import InputError
from echotorrent_core.media.read import read_image
from echotorrent_core.weights.parts import ASSETS
from training import losses
from training.losses import (
    LocalEnergy,
    PatchCritic,
    adaptive_weight,
    hinge_critic,
    hinge_student,
    laplacian_bands,
    local_energy,
    perceptual,
    pyramid_l1,
    weighted_mean,
)


@pytest.fixture(scope="module")
def portraits():
    return torch.stack([read_image(path, (128, 128)) for path in sorted((ASSETS / "portraits").glob("*.png"))])


@pytest.fixture(scope="module")
def distance() -> LocalEnergy:
    return perceptual("energy")


def everywhere(frames):
    return torch.ones(len(frames), 1, *frames.shape[-2:])


def blurred(frames, sigma=1.0):
    t = torch.arange(-4, 5).float()
    kernel = torch.exp(-(t**2) / (2 * sigma**2))
    kernel = torch.outer(kernel, kernel) / kernel.sum() ** 2
    return F.conv2d(F.pad(frames, (4,) * 4, mode="reflect"), kernel.expand(3, 1, 9, 9).clone(), groups=3)


def shifted(frames, pixels):
    theta = torch.tensor([[1.0, 0, pixels / 64], [0, 1.0, pixels / 90]]).expand(len(frames), -1, -1)
    grid = F.affine_grid(theta, list(frames.shape), align_corners=False)
    return F.grid_sample(frames, grid, mode="bicubic", padding_mode="border", align_corners=False)


def relit(frames, amount):
    return frames * (1 + amount) + amount / 2


def speckled(frames, amount):
    generator = torch.Generator().manual_seed(0)
    places = torch.rand(len(frames), 1, *frames.shape[-2:], generator=generator) < 0.004
    return frames + amount * places * torch.randn(frames.shape, generator=generator).sign()


def at_equal_l1(change, frame, wanted, high):
    """The change as strong as gives the wanted L1."""
    low = 0.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if (change(frame, middle) - frame).abs().mean() < wanted else (low, middle)
    return change(frame, low)


def test_sharp_is_preferred_to_blurred_at_equal_l1(portraits, distance):
    """Another place by part of a pixel, or another light, is nearer than a blur; speckles are farther."""
    for frame in portraits[:, None]:
        soft = blurred(frame)
        l1 = (soft - frame).abs().mean()
        blur = distance(soft, frame, everywhere(frame))
        for change, high in ((shifted, 4.0), (relit, 1.0)):
            other = at_equal_l1(change, frame, l1, high)
            assert abs((other - frame).abs().mean() - l1) < 1e-3 * l1
            assert 1.3 * distance(other, frame, everywhere(frame)) < blur, change.__name__
        specks = at_equal_l1(speckled, frame, l1, 40.0)
        assert distance(specks, frame, everywhere(frame)) > 2 * blur


def test_pixel_losses_do_not_have_that_preference(portraits):
    """Why there is a perceptual loss: the Laplacian pyramid takes a small shift for as bad as a blur."""
    frame = portraits[:1]
    soft = blurred(frame)
    moved = at_equal_l1(shifted, frame, (soft - frame).abs().mean(), 4.0)
    soft_loss, moved_loss = (sum(pyramid_l1(x - frame, everywhere(frame))) for x in (soft, moved))
    assert soft_loss < 1.15 * moved_loss


def test_the_distance_is_zero_of_itself_and_counts_where_it_is_told(portraits, distance):
    frames = portraits[:2]
    assert distance(frames, frames, everywhere(frames)) == 0
    changed = frames.clone()
    changed[..., :64] = blurred(frames, 2.0)[..., :64]
    right, left = everywhere(frames), everywhere(frames)
    right[..., :96], left[..., 48:] = 0, 0
    assert distance(changed, frames, right) < 0.2 * distance(changed, frames, left)  # group norms carry a little over


def test_the_distance_has_a_gradient_that_sharpens(portraits, distance):
    frame = portraits[:1]
    soft = blurred(frame, 1.5).requires_grad_()
    distance(soft, frame, everywhere(frame)).backward()
    step = soft.detach() - 0.02 * soft.grad / soft.grad.abs().max()
    energies = [local_energy(laplacian_bands(x, 1)[0]).mean() for x in (soft.detach(), step, frame)]
    assert energies[0] < energies[1] < energies[2]
    assert not any(p.requires_grad for p in distance.parameters())


def test_any_size_is_taken(distance):
    a, b = torch.rand(2, 2, 3, 48, 80) * 2 - 1
    assert torch.isfinite(distance(a, b, everywhere(a)))


def test_weighted_mean():
    values = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(weighted_mean(values, torch.ones(2, 1, 32, 32)), values.mean())
    weight = torch.zeros(2, 1, 8, 8)
    weight[0, 0, 2, 3], weight[1, 0, 5, 5] = 1, 3
    torch.testing.assert_close(weighted_mean(values, weight), (values[0, :, 2, 3] + 3 * values[1, :, 5, 5]).mean() / 4)


def test_bands_and_the_rest_are_the_picture():
    frames = torch.randn(1, 3, 32, 32)
    fine, middle = laplacian_bands(frames, 2)
    coarse = F.avg_pool2d(F.avg_pool2d(frames, 2), 2)
    rebuilt = middle + F.interpolate(coarse, scale_factor=2.0, mode="bilinear")
    torch.testing.assert_close(fine + F.interpolate(rebuilt, scale_factor=2.0, mode="bilinear"), frames)


def test_lpips_says_what_it_needs(monkeypatch):
    monkeypatch.setitem(sys.modules, "lpips", None)
    with pytest.raises(InputError, match="lpips and torchvision; use 'energy'"):
        perceptual("lpips")


def test_lpips_takes_weights_from_a_file(monkeypatch, tmp_path):
    """A stand-in for the package, with its names: slice2.5.weight of the network is features.5.weight of the file."""

    class Net(torch.nn.Module):
        def __init__(self, net, spatial, pnet_rand, verbose):
            super().__init__()
            assert net == "vgg" and spatial and pnet_rand
            self.net = torch.nn.Module()
            self.net.slice1, self.net.slice2 = (torch.nn.Sequential() for _ in range(2))
            self.net.slice1.add_module("0", torch.nn.Conv2d(3, 4, 3))
            self.net.slice2.add_module("5", torch.nn.Conv2d(4, 4, 3))

        def forward(self, a, b):
            return (a - b).abs().mean(1, keepdim=True)

    monkeypatch.setitem(sys.modules, "lpips", type("lpips", (), {"LPIPS": Net}))
    shapes = {"features.0": (4, 3, 3, 3), "features.5": (4, 4, 3, 3)}
    stored = {f"{name}.weight": torch.randn(shape) for name, shape in shapes.items()}
    stored |= {f"{name}.bias": torch.randn(4) for name in shapes}
    torch.save(stored, tmp_path / "vgg.pth")
    distance = perceptual("lpips", tmp_path / "vgg.pth")
    assert torch.equal(distance.network.net.slice2.get_parameter("5.weight"), stored["features.5.weight"])
    a, b = torch.rand(2, 1, 3, 8, 8)
    torch.testing.assert_close(distance(a, b, everywhere(a)), (a - b).abs().mean())


# Adversarial


def test_hinge_losses():
    real, fake = torch.tensor([2.0, 0.0]), torch.tensor([-3.0, 0.5])
    assert hinge_critic(real, fake) == 0.5 * (0.5 + 0.75)
    assert hinge_student(fake) == 1.25


def test_a_patch_is_46_pixels_and_13_frames():
    critic = PatchCritic(width=8)
    for layer in critic.layers:
        if isinstance(layer, torch.nn.GroupNorm):  # whose means reach everywhere
            layer.forward = lambda x: x
    frames = torch.randn(1, 3, 32, 96, 96, requires_grad=True)
    scores = critic(frames)
    assert scores.shape == (1, 1, 16, 12, 12)
    scores[0, 0, 8, 6, 6].backward()
    touched = frames.grad[0].abs().sum(0) > 0
    extents = [int(touched.any(dims).sum()) for dims in ((1, 2), (0, 2), (0, 1))]
    assert extents == [13, 46, 46]
    assert critic(torch.randn(2, 3, 9, 64, 64)).shape == (2, 1, 5, 8, 8)


def test_the_adaptive_weight_is_the_ratio_of_gradients():
    last = torch.nn.Parameter(torch.randn(3, 4))
    reconstruction, adversarial = 6 * last.sum(), (0.5 * last).sum()
    assert abs(adaptive_weight(reconstruction, adversarial, last) - 12) < 1e-2
    assert adaptive_weight(reconstruction, 0 * adversarial, last) == 1e4
    assert adaptive_weight(reconstruction, adversarial, last, most=5) == 5
    (reconstruction + adversarial).backward()  # the graphs are still there
    torch.testing.assert_close(last.grad, torch.full((3, 4), 6.5))


def test_a_critic_learns_to_tell(portraits):
    """A few steps separate frames from their blurred copies, by their detail alone."""
    torch.manual_seed(0)
    critic = PatchCritic(width=16)
    optimizer = torch.optim.AdamW(critic.parameters(), lr=1e-3, betas=(0.5, 0.9))
    real = portraits[:, :, None, 32:96, 32:96].expand(-1, -1, 4, -1, -1)
    fake = blurred(portraits)[:, :, None, 32:96, 32:96].expand(-1, -1, 4, -1, -1)
    for _ in range(25):
        true, drawn = critic(torch.cat([real, fake])).chunk(2)
        loss = hinge_critic(true, drawn)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.5 and true.mean() > drawn.mean() + 1
    assert losses.WINDOW % 2 == 1  # energies stay centred
