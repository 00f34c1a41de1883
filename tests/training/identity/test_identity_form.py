"""The form: its defaults are the recipes', and nothing outside of it passes."""

import subprocess
import sys
from pathlib import Path

import pytest

from training.config import load
from training.identity.job import runs
from training.identity.schema import PRESETS, RECIPES, checked, estimate, schema

ROOT = Path(__file__).resolve().parents[3]


def test_importing_it_brings_no_torch():
    code = "import sys, training.identity.schema; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize("preset", PRESETS)
def test_defaults_are_the_recipes(preset):
    """So that a job and `python -m training identity_...` do the same."""
    recipe, settings = load(RECIPES[preset]), checked(preset, {})
    stages = recipe if "identity" in recipe else {"identity": next(iter(recipe.values()))}
    trunk, decoder = runs({"preset": preset}, settings, Path("job"))
    for made, meant in ((trunk, stages["identity"]), (decoder, stages.get("decoder"))):
        if meant is None:
            assert made is None
            continue
        assert made.loop == meant.loop and made.data.batch == meant.data.batch
        assert {k: v for k, v in vars(made.settings).items() if k != "others"} == {
            k: v for k, v in vars(meant.settings).items() if k != "others"
        }
        assert made.roles.student.lora == meant.roles.student.lora


@pytest.mark.parametrize("preset", PRESETS)
def test_everything_in_the_form_is_explained_and_bounded(preset):
    for name, one in schema(preset)["properties"].items():
        assert one["title"] and one["description"].endswith(".") and "default" in one, name
        if one["type"] in ("integer", "number"):
            assert one["minimum"] <= one["default"] <= one["maximum"], name


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"step": 3}, "unknown setting 'step'"),
        ({"steps": 0}, "steps: 0 is not between 1"),
        ({"steps": "many"}, "steps: expected integer"),
        ({"steps": True}, "steps: expected integer"),
        ({"prior": float("nan")}, "prior"),
    ],
)
def test_what_the_form_does_not_allow(settings, says):
    with pytest.raises(ValueError, match=says):
        checked("embedded", settings)
    with pytest.raises(ValueError, match="cannot be tuned"):
        checked("debug", {})


def test_estimate_grows_with_the_batch():
    small, large = (estimate({"preset": "embedded", "settings": {"batch": n}})["bytes"] for n in (1, 4))
    assert 2e8 < small < large < 4e9
