"""Distillation of networks that are sharded over processes: the same passes everywhere, the gradients of whole ones."""

from pathlib import Path

from toy import launch


def test_sharded_networks_have_the_gradients_of_whole_ones():
    """A two-phase rollout against a direct one, teacher and critic, and an expert put into a sharded teacher."""
    result = launch(Path(__file__).parent / "sharded_distill.py", processes=2)
    assert result.returncode == 0 and "same" in result.stdout, result.stderr[-2000:]
