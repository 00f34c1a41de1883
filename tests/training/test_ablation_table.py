"""The ablation table: what it says of known results."""

from pathlib import Path

import numpy as np
import pytest

from training import ablate
from training.ablation import table
from training.ablation.rows import COLUMNS, FULL
from training.ablation.table import disagreement, page, read_results, write_result
from training.evaluation.evaluate import Evaluation
from training.evaluation.statistics import Interval


def evaluation(values: dict[str, float], seed: int, people: int = 3) -> Evaluation:
    """Figures that differ from seed to seed and person to person, by the same for all rows, and `values` more."""
    rng = np.random.default_rng(seed)
    streams = {
        name: (rng.normal(0.5, 0.1, people) + values.get(name, 0.0)).tolist() for name in (*COLUMNS, *table.DRIFTS)
    }
    clips = {name: rng.normal(0.5, 0.1, 4).tolist() for name in table.SHORT}
    curves = {name: rng.normal(size=(people, 30)).tolist() for name in table.CURVES}
    facts = {"preset": "debug", "settings": {"people": people, "seconds": 60.0, "clips": 4}}
    return Evaluation(clips, clips, streams, curves, {}, facts)


def results(out: Path, rows: dict[str, dict[str, float]], seeds=(0, 1, 2)) -> Path:
    for row, values in rows.items():
        for seed in seeds:
            path = out / row / f"seed-{seed}/evaluation-x.json"
            evaluation(values, seed).save(path)
            write_result(out, row, seed, f"{'' if values else 'full'}{row if values else ''}-{seed}", path, 90.0)
    return out


def test_differences_are_what_was_put_in(tmp_path):
    out = results(tmp_path, {FULL: {}, "no_sink": {"sync": -0.01, "identity": 0.03}, "eq3_literal": {}})
    found = read_results(out)
    assert table.difference(found, "no_sink", "streams", "identity") == pytest.approx((0.03, 0.03, 0.03), abs=1e-5)
    text = page(found)
    cells = next(line for line in text.splitlines() if line.startswith("| w/o Reference Sink | **-"))
    assert "| **-0.010 [-0.010, -0.010]** = |" in cells and "| **+0.030 [+0.030, +0.030]** ↓ |" in cells
    assert "| Eq. 3 as printed (here the full one) |" in text
    expected = (
        "- **w/o Reference Sink** disagrees in Sync-C (paper: equal, here: lower by 0.010 [-0.010, -0.010]), "
        "ID (paper: lower, here: higher by 0.030 [+0.030, +0.030]); "
        "the paper's sign is not seen in IQA, which may be chance."
    )
    assert [line for line in text.splitlines() if "disagrees" in line] == [expected]


def test_disagreements_are_of_sign_and_say_when_they_may_be_chance():
    def of(**values):
        none = Interval(0.0, -0.1, 0.1)
        return {name: Interval(*values[name]) if name in values else none for name in COLUMNS}

    agrees = {"quality": (-0.1, -0.2, -0.05), "confidence": (-0.1, -0.3, 0.1), "background": (-1.0, -2.0, 0.0)}
    assert disagreement("full_causal", of(**agrees)) is None  # sync and identity are equal in the paper, and here
    chance = of(**agrees | {"confidence": (0.1, -0.1, 0.3)})
    told = "the paper's sign is not seen in HA, which may be chance."
    assert disagreement("full_causal", chance) == f"**Full Causal**: {told}"
    assert disagreement("full_causal", chance | {"sync": Interval(-0.2, -0.3, -0.1)}) == (
        f"**Full Causal** disagrees in Sync-C (paper: equal, here: lower by 0.200 [-0.300, -0.100]); {told}"
    )
    other = of(**agrees | {"confidence": (0.2, 0.1, 0.3)})
    assert "HA (paper: lower, here: higher by 0.200 [+0.100, +0.300])." in disagreement("full_causal", other)


def test_the_page_is_a_function_of_the_results(tmp_path):
    out = results(tmp_path / "out", {FULL: {}, "no_sei": {"sync": -0.1}, "clean": {"quality": 0.1}})
    (out / "full_causal").mkdir()  # not there yet
    for docs in ("a", "b"):
        assert ablate.main(["--report-only", "--out", str(out), "--docs", str(tmp_path / docs)]) == 0
    for name in ("ablations.md", "ablations.svg", "ablations_ours.svg"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    text = (tmp_path / "a/ablations.md").read_text()
    assert "Full Causal" not in text and "3 seeds" in text and "the paper's sign is not seen" in text
    assert "nan" not in text
    picture = (tmp_path / "a/ablations.svg").read_text()
    assert picture.count("<polyline") == 2 * 4 and "w/o SEI" in picture and len(picture) < 40_000
    import xml.etree.ElementTree as xml

    xml.fromstring(picture)


def test_no_results_is_one_sentence(tmp_path, capsys):
    assert ablate.main(["--report-only", "--out", str(tmp_path), "--docs", str(tmp_path)]) == 2
    assert "holds no result of the row 'full'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        ablate.main(["--rows", "no_such_row"])
