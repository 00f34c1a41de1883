"""Every measure against a case whose answer is known."""

import numpy as np
import pytest

from echotorrent_core.metrics import drift, identity, lipsync, timing


def clips(count: int = 12, frames: int = 65, seed: int = 0) -> list[np.ndarray]:
    """Smooth random tracks in about [0, 1]."""
    rng = np.random.default_rng(seed)
    kernel = np.hanning(7) / np.hanning(7).sum()
    return [0.5 + 0.5 * np.convolve(rng.normal(size=frames + 6), kernel, "valid") for _ in range(count)]


def test_correlation_is_numpys() -> None:
    a, b = clips(2)
    assert lipsync.correlation(a, b) == pytest.approx(np.corrcoef(a, b)[0, 1])
    assert lipsync.correlation(3 * a - 1, a) == pytest.approx(1)
    assert lipsync.correlation(-a, a) == pytest.approx(-1)
    assert np.isnan(lipsync.correlation(a, np.full(65, 0.3)))


def test_pooled_sees_levels_that_per_clip_does_not() -> None:
    truth = clips()
    found = [track + (5.0 if i % 2 else 0.0) for i, track in enumerate(truth)]
    assert lipsync.per_clip(found, truth) == pytest.approx(1)
    joined = np.corrcoef(np.concatenate(found), np.concatenate(truth))[0, 1]
    assert lipsync.pooled(found, truth) == pytest.approx(joined)
    assert joined < 0.5


def test_per_clip_counts_a_frozen_mouth_as_zero_and_skips_silence() -> None:
    truth = clips(3)
    found = [truth[0], np.full(65, 0.2), truth[2]]
    truth[2] = np.zeros(65)
    assert lipsync.per_clip(found, truth) == pytest.approx(0.5)


@pytest.mark.parametrize("lag", [-4, -1, 0, 3, 5])
def test_offset_of_a_late_picture_is_positive(lag: int) -> None:
    long = clips(6, frames=85)
    truth = [track[10:75] for track in long]
    found = [track[10 - lag : 75 - lag] for track in long]
    assert lipsync.best_offset(found, truth) == lag
    assert lipsync.shifted(found, truth, lag) == pytest.approx(1)
    assert np.isnan(lipsync.best_offset([np.zeros(65)], truth[:1]))


def test_shuffled_control_is_near_zero_and_exact() -> None:
    truth = clips(40)
    assert abs(lipsync.shuffled(truth, truth)) < 0.05
    expected = np.mean([lipsync.pooled(truth[:3], [truth[(i + k) % 3] for i in range(3)]) for k in (1, 2)])
    assert lipsync.shuffled(truth[:3], truth[:3]) == pytest.approx(expected)


def test_spread_ratio() -> None:
    truth = clips()
    assert lipsync.spread_ratio([0.4 * t + 2 for t in truth], [t for t in truth]) == pytest.approx(0.4)


def test_runs() -> None:
    assert lipsync.runs(np.array([1, 1, 0, 1, 0, 0, 1], bool)) == [(0, 2), (3, 4), (6, 7)]
    assert lipsync.runs(np.zeros(3, bool)) == []


def test_closures() -> None:
    flags = np.zeros(20, bool)
    flags[[3, 4, 10, 16]] = True
    track = np.full(20, 0.6)
    track[4] = 0.1  # inside the first run
    track[11] = 0.1  # one frame after the second
    track[18] = 0.1  # two frames after the third: too late
    assert lipsync.closure_hits([track], [flags]) == pytest.approx(2 / 3)
    assert lipsync.closure_hits([track], [flags], tolerance=0) == pytest.approx(1 / 3)
    assert lipsync.closure_hits([track], [flags], tolerance=2) == 1
    assert lipsync.closure_frames([track], [flags]) == pytest.approx(1 / 4)
    assert lipsync.closure_chance([track, track], [flags, np.zeros(20, bool)]) == pytest.approx(2 / 3)
    assert np.isnan(lipsync.closure_hits([track], [np.zeros(20, bool)]))


def test_bootstrap_covers_the_mean_like_its_standard_error() -> None:
    rng = np.random.default_rng(0)
    columns = [rng.normal(size=1) for _ in range(400)]
    low, high = lipsync.bootstrap(lambda c: float(np.mean(c)), columns, draws=2000)
    values = np.concatenate(columns)
    error = values.std() / 20
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.2 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.2 * error)
    assert lipsync.bootstrap(lambda c: float(np.mean(c)), columns, draws=50) == lipsync.bootstrap(
        lambda c: float(np.mean(c)), columns, draws=50
    )


def test_bootstrap_keeps_columns_together() -> None:
    truth = clips()
    assert lipsync.bootstrap(lipsync.pooled, truth, truth, draws=20) == pytest.approx((1, 1))


# Drift


def picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(60, 200, (32, 32, 3), dtype=np.uint8)


def test_colour_corner_and_psnr_of_a_constant_shift() -> None:
    portrait = picture()
    frames = np.stack([portrait, portrait + np.uint8(10)])
    assert drift.mean_colour(frames)[1] - drift.mean_colour(frames)[0] == pytest.approx([10, 10, 10])
    assert drift.corner_change(frames, portrait) == pytest.approx([0, 10])
    assert drift.psnr(frames, portrait) == pytest.approx([99, 10 * np.log10(255**2 / 100)])


def test_corner_change_looks_at_the_upper_corners_only() -> None:
    portrait = picture()
    frame = portrait.copy()
    frame[4:] += 50
    frame[:, 4:-4] += 50
    assert drift.corner_change(frame[None], portrait) == pytest.approx([0])


def test_sharpness_falls_with_blur_and_is_zero_on_a_ramp() -> None:
    ramp = np.broadcast_to(np.arange(32, dtype=np.uint8)[:, None, None] * 4, (32, 32, 3))
    assert drift.sharpness(ramp[None]) == pytest.approx([0], abs=1e-9)
    sharp = picture().astype(float)
    blurred = (sharp + np.roll(sharp, 1, 0) + np.roll(sharp, 1, 1) + np.roll(sharp, (1, 1), (0, 1))) / 4
    a, b = drift.sharpness(np.stack([sharp, blurred]).astype(np.uint8))
    assert b < 0.5 * a


def test_sharpness_of_one_bright_dot() -> None:
    frame = np.zeros((1, 5, 5, 3), np.uint8)
    frame[0, 2, 2] = 255
    assert drift.sharpness(frame)[0] == pytest.approx(np.std([0, 1, 0, 1, -4, 1, 0, 1, 0]))


def test_fifths() -> None:
    values = np.repeat([1.0, 2.0, 3.0, 2.0, 0.0], 7)
    assert drift.fifths(values) == pytest.approx([1, 2, 3, 2, 0])
    assert drift.largest_change(drift.fifths(values)) == pytest.approx(2)
    with pytest.raises(ValueError, match="fifths"):
        drift.fifths(values[:3])


# Identity


def test_identity_distance() -> None:
    e = np.array([[1.0, 0], [0, 2], [-3, 0], [1, 1]])
    assert identity.distance(e, np.array([2.0, 0])) == pytest.approx([0, 1, 2, 1 - 0.5**0.5])


def test_separation_is_the_share_of_ordered_pairs() -> None:
    rng = np.random.default_rng(0)
    same, other = rng.normal(0, 1, 50), rng.normal(1, 1, 70)
    assert identity.separation(same, other) == pytest.approx(np.mean(same[:, None] < other[None]))


# Timing


def test_real_time_factor_and_percentile() -> None:
    assert timing.real_time_factor(12.0, 8.0) == 1.5
    assert timing.percentile(list(range(101)), 0.95) == pytest.approx(95)


def test_ready_times_wait_for_sound_and_for_the_chunk_before() -> None:
    assert timing.ready_times([1.0, 2.0, 3.0], [0.5, 1.5, 0.1]) == pytest.approx([1.5, 3.5, 3.6])


def test_playback_delay_is_the_least_that_never_waits() -> None:
    ready, durations = np.array([1.5, 3.5, 3.6]), np.array([1.0, 1.0, 1.0])
    delay = timing.playback_delay(ready, durations)
    assert delay == pytest.approx(2.5)
    starts = delay + np.array([0.0, 1.0, 2.0])
    assert (ready <= starts + 1e-9).all()
    assert (ready > starts - 1e-6).any()


def test_paired_ratio_sees_through_a_machine_that_slows_down() -> None:
    rng = np.random.default_rng(0)
    machine = np.linspace(1, 2, 60) * rng.uniform(0.95, 1.05, 60)
    young = 0.4 * machine
    old = 1.03 * young * rng.uniform(0.99, 1.01, 60)
    middle, low, high = timing.paired_ratio(old, young)
    assert low < 1.03 < high and high - low < 0.01
    assert middle == pytest.approx(1.03, abs=0.003)


def test_flatness_and_trend_ignore_disturbed_chunks() -> None:
    rng = np.random.default_rng(0)
    flat = 0.4 + 0.004 * rng.normal(size=900)
    flat[rng.integers(900, size=60)] += 1.0
    assert timing.flatness(flat) < 0.01
    assert abs(timing.trend(flat)) < 0.01
    growing = np.linspace(0.4, 0.44, 900)
    assert timing.flatness(growing) == pytest.approx(0.045 / 1.05, rel=0.1)
    assert timing.trend(growing) == pytest.approx(0.04 / 0.42, rel=0.05)
    with pytest.raises(ValueError, match="blocks"):
        timing.flatness([1.0] * 3)
