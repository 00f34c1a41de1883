import subprocess
import sys

import pytest
import torch

from echotorrent_core import flow
from echotorrent_core.guidance import APG, Guidance, combine, project


def outputs(seed=0):
    g = torch.Generator().manual_seed(seed)
    names = ("cond", "drop_text", "drop_audio", "uncond")
    return {name: torch.randn(2, 3, 2, 4, 4, generator=g) for name in names}


@pytest.mark.parametrize(
    ("text", "audio", "passes"),
    [
        (1.0, 1.0, ("cond",)),
        (1.0, 2.0, ("cond", "drop_audio")),
        (5.0, 1.0, ("cond", "drop_text")),
        (5.0, 4.0, ("cond", "drop_text", "uncond")),
    ],
)
def test_a_scale_of_one_runs_no_pass(text, audio, passes):
    guidance = Guidance(text, audio)
    assert guidance.passes == passes
    o = outputs()
    guided, momentum = combine(guidance, {name: o[name] for name in passes})  # a pass too few would be a KeyError
    assert momentum == ()
    if text == 1:
        expected = o["drop_audio"] + audio * (o["cond"] - o["drop_audio"])
    else:
        expected = o["uncond"] + text * (o["cond"] - o["drop_text"]) + audio * (o["drop_text"] - o["uncond"])
    torch.testing.assert_close(guided, expected, atol=1e-5, rtol=1e-5)


def test_plain_guidance_is_the_same_on_clean_estimates():
    o, guidance = outputs(), Guidance(5.0, 4.0)
    x, sigma = torch.randn(2, 3, 2, 4, 4), torch.tensor([0.7, 0.2])
    clean = {name: flow.to_x0(v, x, sigma, "velocity", x) for name, v in o.items()}
    guided = flow.to_x0(combine(guidance, o)[0], x, sigma, "velocity", x)
    torch.testing.assert_close(combine(guidance, clean)[0], guided, atol=1e-4, rtol=1e-5)


def test_a_projected_difference_is_orthogonal_and_limited_per_sample():
    o = outputs()
    difference = torch.stack([0.1 * o["drop_text"][0], 100 * o["drop_text"][1]])
    out, running = project(difference, o["cond"], None, APG(threshold=20.0))
    assert torch.equal(running, difference)
    dot = (out.double() * o["cond"].double()).sum((1, 2, 3, 4))
    torch.testing.assert_close(dot, torch.zeros(2, dtype=torch.double), atol=1e-4, rtol=0)
    whole, _ = project(difference, o["cond"], None, APG(threshold=20.0, eta=1.0))
    norms = whole.flatten(1).norm(dim=1)
    torch.testing.assert_close(norms, torch.tensor([difference[0].norm().item(), 20.0]))
    assert (out.flatten(1).norm(dim=1) < norms).all()


def test_momentum_adds_up_the_unlimited_differences():
    config, cond, d = APG(momentum=-0.5, threshold=1.0), outputs()["cond"], outputs(1)["cond"]
    _, first = project(d, cond, None, config)
    _, second = project(3 * d, cond, first, config)
    torch.testing.assert_close(second, 3 * d - 0.5 * d)


def test_streams_with_momentum_do_not_touch_each_other():
    guidance = Guidance(3.0, 2.0, APG())

    def steps(seeds):
        momentum, out = (), []
        for seed in seeds:
            guided, momentum = combine(guidance, outputs(seed), momentum)
            out.append(guided)
        return out

    alone = [steps((0, 1, 2)), steps((3, 4, 5))]
    mixed, momenta = [[], []], [(), ()]
    for i in range(3):
        for stream in range(2):
            guided, momenta[stream] = combine(guidance, outputs(3 * stream + i), momenta[stream])
            mixed[stream].append(guided)
    assert all(torch.equal(a, b) for s in range(2) for a, b in zip(alone[s], mixed[s], strict=True))
    without, _ = combine(guidance, outputs(1))
    assert not torch.equal(without, alone[0][1])


def test_presets_may_hold_schedules_and_guidance_without_torch():
    code = "import sys, echotorrent_core.guidance, echotorrent_core.schedules; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
