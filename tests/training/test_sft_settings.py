"""What the settings of supervised training change: the windows of a teacher, dropout, given latents, the error bank."""

import pytest
import torch
from torch import nn
from toy import batch

from echotorrent_core import flow
from echotorrent_core.conditioning.text import Prompt, WordEncoder
from echotorrent_core.config import LayerPolicy
from echotorrent_core.model.dit import Trunk
from echotorrent_core.presets import debug
from training.denoiser import Denoiser
from training.error_bank import ErrorBank
from training.methods.sft import SFT, SFTConfig


class Recorder(nn.Module):
    """Stands for a network: keeps what it was given, answers with `answer` (default: the noisy latents)."""

    def __init__(self, answer=None):
        super().__init__()
        self.answer, self.scale, self.calls = answer, nn.Parameter(torch.ones(())), []

    def forward(self, config, noisy, sigma, reference, sink, batch, first, clean=None):
        self.calls.append({"noisy": noisy, "sigma": sigma, "batch": batch, "sink": sink, "clean": clean})
        return self.scale * (noisy if self.answer is None else self.answer)


def run(settings, data, answer=None, seed=0, steps=1):
    method = SFT(debug(), Recorder(answer), settings)
    for step in range(steps):
        result = method.step(data, step, torch.Generator().manual_seed(seed + step))
    return method, method.roles["student"].module.calls, result


def test_a_window_is_a_bidirectional_teacher_and_windows_do_not_meet():
    torch.manual_seed(0)
    config = debug()
    network = Denoiser(Trunk(config.trunk), WordEncoder(config.text)).eval()
    method = SFT(config, network, SFTConfig(window=4))
    assert method.config.stream.chunk_latents == 4
    assert method.config.layers == (LayerPolicy(0, "full"),) * 4
    data, sigma = batch(2), torch.full((2, 8), 0.5)
    given = (sigma, data["reference"], data["reference"], data, False)
    with torch.no_grad():
        one = network(method.config, data["latents"], *given)
        later, earlier = data["latents"].clone(), data["latents"].clone()
        later[:, :, 4:] += 1
        earlier[:, :, 3] += 1
        changed = [(network(method.config, x, *given) - one).abs().amax((0, 1, 3, 4)) for x in (later, earlier)]
    assert changed[0][:4].max() == 0 and changed[0][4:].min() > 0
    assert changed[1][:4].min() > 0 and changed[1][4:].max() == 0  # latent 3 is seen by 0, and by no other window


def test_text_and_audio_are_dropped_apart():
    data = batch(400)
    _, (call,), _ = run(SFTConfig(drop_audio=0.3, drop_text=0.2), data)
    silent = (call["batch"]["features"] == 0).flatten(1).all(1)
    untold = (call["batch"]["ids"] == torch.tensor(Prompt().ids())).all(1)
    assert 0.22 < silent.float().mean() < 0.38 and 0.13 < untold.float().mean() < 0.27
    assert torch.equal(call["batch"]["features"][~silent], data["features"][~silent])
    assert torch.equal(call["batch"]["ids"][~untold], data["ids"][~untold])
    assert {(bool(a), bool(b)) for a, b in zip(silent, untold, strict=True)} == {
        (False, False),
        (False, True),
        (True, False),
        (True, True),
    }
    assert torch.equal(data["ids"], batch(400)["ids"])  # the batch itself is as it was


def test_given_latents_are_clean_and_have_no_loss():
    data = batch()
    settings = SFTConfig(window=4, pinned=2)
    _, (call,), result = run(settings, data)
    given = torch.tensor([1, 1, 0, 0] * 2, dtype=torch.bool)
    assert torch.equal(call["noisy"][:, :, given], data["latents"][:, :, given])
    assert (call["sigma"][:, given] == 0).all() and (call["sigma"][:, ~given] > 0).all()
    wrong = call["noisy"].clone()
    wrong[:, :, given] += 100
    _, _, same = run(settings, data, answer=wrong)
    torch.testing.assert_close(same.losses["student"], result.losses["student"])
    assert same.metrics["x0_error"] == pytest.approx(result.metrics["x0_error"])
    # The mean is over what has a loss.
    error = ((call["noisy"] - data["latents"]) ** 2 * (1 + settings.mouth * data["mask"]))[:, :, ~given].mean()
    torch.testing.assert_close(result.losses["student"].detach(), error)


def test_only_a_share_is_pinned():
    _, (call,), _ = run(SFTConfig(pinned=3, pin=0.5), batch(300))
    pinned = (call["sigma"][:, :3] == 0).all(1)
    assert 0.4 < pinned.float().mean() < 0.6
    assert (call["sigma"][~pinned] > 0).all()


def test_the_velocity_loss_is_flow_matching():
    """|v^ - (e - x0)|^2 with v^ from the clean estimate."""
    data = batch()
    answer = torch.randn(data["latents"].shape, generator=torch.Generator().manual_seed(9))
    settings = SFTConfig(loss="velocity", mouth=0.0, pure_noise=0.2)
    _, (call,), result = run(settings, data, answer)
    noise = (call["noisy"] - (1 - flow.expand(call["sigma"], answer)) * data["latents"]) / flow.expand(
        call["sigma"], answer
    )
    found = flow.to_velocity(answer, call["noisy"], call["sigma"])
    expected = (found - flow.velocity(data["latents"], noise)).square().mean()
    torch.testing.assert_close(result.losses["student"].detach(), expected, rtol=1e-4, atol=1e-5)


def test_a_timestep_shift_is_a_shifted_mean():
    """sigmoid(z + log k) = shift_k(sigmoid(z))."""
    z = torch.linspace(-3, 3, 7)
    shifted = torch.tensor([flow.shift(float(u), 5.0) for u in z.sigmoid()])
    torch.testing.assert_close((z + torch.log(torch.tensor(5.0))).sigmoid(), shifted)


def test_the_mouth_weighs_more():
    data = batch()
    data["mask"] = torch.zeros_like(data["mask"])
    data["mask"][..., 0] = 1
    answer = data["latents"].clone()
    answer[..., 0] += 1
    inside = run(SFTConfig(mouth=3.0), data, answer)[2].losses["student"]
    answer[..., 0] -= 1
    answer[..., 1] += 1
    outside = run(SFTConfig(mouth=3.0), data, answer)[2].losses["student"]
    torch.testing.assert_close(inside, 4 * outside)


def test_teacher_forcing_reads_the_true_latents():
    data = batch()
    _, (call,), _ = run(SFTConfig(context="clean"), data)
    assert torch.equal(call["clean"], data["latents"])
    _, (call,), _ = run(SFTConfig(), data)
    assert call["clean"] is None


def test_own_errors_come_back_as_context():
    """The residual of an earlier step is added to the given latents, one entry per chunk, and to nothing else."""
    data = batch(40)
    offset = torch.randn(1, 4, 1, 4, 4, generator=torch.Generator().manual_seed(5))
    settings = SFTConfig(context="clean", errors=16, error_share=0.5)
    _, calls, _ = run(settings, data, answer=data["latents"] + offset, steps=2)
    assert torch.equal(calls[0]["clean"], data["latents"])  # nothing in the bank yet
    error = calls[1]["clean"] - data["latents"]
    changed = error.abs().amax((1, 2, 3, 4)) > 0
    assert 0.25 < changed.float().mean() < 0.75
    torch.testing.assert_close(error[changed], offset.expand_as(error[changed]), atol=1e-5, rtol=1e-5)
    _, calls, _ = run(
        SFTConfig(window=4, pinned=1, errors=16, error_share=1.0), data, answer=data["latents"] + offset, steps=2
    )
    error = (calls[1]["noisy"] - data["latents"])[:, :, ::4]
    torch.testing.assert_close(error, offset.expand_as(error), atol=1e-5, rtol=1e-5)


def test_residuals_of_given_latents_are_not_banked():
    data = batch(40)
    wrong = data["latents"].clone()
    wrong[:, :, ::4] += 7  # the given ones
    method, _, _ = run(SFTConfig(window=4, pinned=1, errors=64), data, answer=wrong)
    assert method.bank.count == 40
    assert method.bank.residuals.abs().max() < 1e-5


def test_the_bank_forgets_the_oldest_and_is_in_the_checkpoint():
    bank = ErrorBank(4)
    g = torch.Generator().manual_seed(0)
    assert not bank.draw(torch.zeros(2, 1, 8, 2, 2), 4, 1.0, g).any()
    bank.add(torch.arange(1.0, 7.0).reshape(6, 1, 1, 1).expand(6, 1, 2, 2))
    drawn = bank.draw(torch.zeros(50, 1, 8, 2, 2), 4, 1.0, g)
    assert set(drawn.unique().tolist()) == {3, 4, 5, 6}
    assert (drawn[:, :, :4].flatten(1).std(1) == 0).all() and (drawn[:, :, 0] != drawn[:, :, 4]).any()
    with pytest.raises(ValueError, match="one size"):
        bank.add(torch.zeros(1, 1, 3, 3))

    data = batch()
    settings = SFTConfig(context="clean", errors=16)
    method, _, _ = run(settings, data, answer=data["latents"] + 1)
    other = SFT(debug(), Recorder(data["latents"] + 1), settings)
    other.load_state({key: value.clone() for key, value in method.state().items()})
    for one in (method, other):
        one.step(data, 1, torch.Generator().manual_seed(1))
    assert torch.equal(
        method.roles["student"].module.calls[-1]["clean"], other.roles["student"].module.calls[-1]["clean"]
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"window": 8, "pinned": 2, "errors": 8},
        {"context": "clean", "errors": 8},
        {"context": "clean", "muon_lr": 0.0, "lr": 1e-2, "drop_text": 0.5},
    ],
)
def test_a_few_steps_learn_a_fixed_batch(settings):
    torch.manual_seed(0)
    trunk = Trunk(debug().trunk)
    trunk.init_weights()
    settings = SFTConfig(**({"lr": 3e-3, "muon_lr": 1e-2, "drop_audio": 0.0} | settings))
    method = SFT(debug(), Denoiser(trunk, WordEncoder(debug().text)), settings)
    optimizers, losses = method.optimizers()["student"], []
    assert len(optimizers) == (2 if settings.muon_lr else 1)
    for step in range(30):
        result = method.step(batch(3), step, torch.Generator().manual_seed(0))
        result.losses["student"].backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        losses.append(float(result.losses["student"].detach()))
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 4, "context": "clean"}, "no earlier chunks"),
        ({"window": 4, "pinned": 4}, "fewer than the window"),
        ({"errors": 8}, "given latents"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        SFTConfig(**settings)


def test_sequences_are_whole_windows():
    with pytest.raises(ValueError, match="whole chunks of 5"):
        run(SFTConfig(window=5), batch())
