"""wav2vec 2.0 features against the `transformers` class, and what a window of a stream promises."""

import inspect

import numpy as np
import pytest
import torch
from transformers import Wav2Vec2Config, Wav2Vec2Model

from echotorrent_core.conditioning import wav2vec2
from echotorrent_core.conditioning.audio import AudioStream
from echotorrent_core.conditioning.loudness import normalise_loudness
from echotorrent_core.conditioning.wav2vec2 import (
    Wav2Vec2Encoder,
    Wav2Vec2Recording,
    Wav2Vec2Stream,
    Wav2Vec2StreamConfig,
)
from echotorrent_core.errors import InputError
from echotorrent_core.weights.load import on_meta, shapes
from tests.parity.runner import SHARED

LAYERS, WIDTH, FRAME = 3, 16, 640
TINY = {
    "hidden_size": WIDTH,
    "intermediate_size": 24,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 2,
    "conv_dim": (8,) * 7,
    "num_conv_pos_embeddings": 32,
    "num_conv_pos_embedding_groups": 4,
    "mask_time_prob": 0.0,
}
CONFIG = Wav2Vec2StreamConfig(window=20)


def speech(samples: int, seed: int = 0) -> torch.Tensor:
    noise = torch.randn(samples, generator=torch.Generator().manual_seed(seed))
    return 0.1 * noise * torch.sin(torch.arange(samples) / 900)


@pytest.fixture
def model(randomised):
    return randomised(Wav2Vec2Model(Wav2Vec2Config(**TINY)))


@pytest.fixture
def encoder(model):
    return Wav2Vec2Encoder(model)


# The encoder


def test_without_resampling_it_is_the_library_s_model(model):
    samples = speech(9000)[None]
    states = model(samples, output_hidden_states=True).hidden_states
    features = Wav2Vec2Encoder(model).features(samples, states[0].shape[1])
    assert features.shape == (1, states[0].shape[1], LAYERS, WIDTH)
    torch.testing.assert_close(features, torch.stack(states[1:], 2), atol=1e-6, rtol=0)


def test_convolutions_are_interpolated_from_end_to_end(encoder):
    samples, frames = speech(9000)[None], 11
    conv = encoder.convolutions(samples)[0].numpy()
    at = np.linspace(0, conv.shape[1] - 1, frames)
    resampled = np.stack([np.interp(at, np.arange(conv.shape[1]), channel) for channel in conv]).astype(np.float32)
    states = encoder.transformer(torch.from_numpy(resampled)[None], output_hidden_states=True).hidden_states
    torch.testing.assert_close(encoder.features(samples, frames), torch.stack(states[1:], 2), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("samples", "fps", "frames"),
    [(17234, 25, 26), (16000, 25, 25), (29 * FRAME, 25, 28), (30 * FRAME, 25, 30), (16000, 16, 16)],
)
def test_frame_count_of_a_recording(encoder, samples, fps, frames):
    """29 frames' worth of samples is one short in floating point, in the reference too."""
    features = encoder.features_of(speech(samples)[None], fps)
    assert features.shape[1] == frames
    assert torch.equal(features, encoder.features(speech(samples)[None], frames))


def old_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    weights = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    for new, old in weights.items():
        state = {key.replace(new, old): value for key, value in state.items()}
    return state


def pretraining_file(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    heads = {"wav2vec2.masked_spec_embed": 4, "quantizer.codevectors": 5, "project_hid.bias": 2, "project_q.weight": 3}
    return {f"wav2vec2.{key}": value for key, value in old_names(state).items()} | {
        key: torch.zeros(size) for key, size in heads.items()
    }


@pytest.mark.parametrize("spelled", [dict, old_names, pretraining_file])
def test_every_spelling(model, opened, spelled):
    loaded = wav2vec2.load_wav2vec2(opened(spelled(model.state_dict())), heads=2)
    samples = speech(9000)[None]
    assert torch.equal(loaded.features(samples, 14), Wav2Vec2Encoder(model).features(samples, 14))


def test_layers_normalised_everywhere(randomised, opened):
    """The large models: layer norms and biases in the convolutions, norms before the transformer's layers."""
    config = Wav2Vec2Config(**TINY, feat_extract_norm="layer", conv_bias=True, do_stable_layer_norm=True)
    model = randomised(Wav2Vec2Model(config))
    loaded = wav2vec2.load_wav2vec2(opened(model.state_dict()), heads=2)
    samples = speech(9000)[None]
    assert torch.equal(loaded.features(samples, 14), Wav2Vec2Encoder(model).features(samples, 14))


def test_the_published_size(listed):
    weights = wav2vec2.wav2vec2_names(listed(SHARED / "manifests" / "chinese_wav2vec2_base.json"))
    assert wav2vec2.wav2vec2_config(weights).to_dict() == wav2vec2.wav2vec2_base().to_dict()
    with on_meta():
        model = Wav2Vec2Model(wav2vec2.wav2vec2_base())
    assert {key: weights.shape(key) for key in weights.keys()} == shapes(model)  # noqa: SIM118 (not a dict)


def test_unfit_weights_are_refused(model, opened):
    state = model.state_dict()
    with pytest.raises(InputError, match=r"weights\.safetensors.*unexpected adapter\.x"):
        wav2vec2.load_wav2vec2(opened(state | {"adapter.x": torch.zeros(1)}), heads=2)
    del state["feature_projection.projection.weight"]
    with pytest.raises(InputError, match=r"of a wav2vec 2\.0 encoder is missing"):
        wav2vec2.load_wav2vec2(opened(state), heads=2)


# The stream


def test_takes_the_place_of_the_small_encoder_s_stream():
    for name in ("push", "needed", "features", "tensors", "restored"):
        expected = list(inspect.signature(getattr(AudioStream, name)).parameters)
        for source in (Wav2Vec2Stream, Wav2Vec2Recording):
            assert list(inspect.signature(getattr(source, name)).parameters) == expected


def test_a_window_is_a_recording_of_its_own(encoder):
    samples = speech(60 * FRAME)
    stream = Wav2Vec2Stream(CONFIG, seconds=2.0).push(samples)
    window = normalise_loudness(samples[30 * FRAME : 50 * FRAME])[None]
    expected = encoder.features(window, 20)[:, 16:].flatten(2)
    assert torch.equal(stream.features(encoder, 46, 4), expected)


def test_pushes_do_not_matter(encoder):
    samples = speech(40 * FRAME + 123)
    once, pieces = Wav2Vec2Stream(CONFIG).push(samples), Wav2Vec2Stream(CONFIG)
    for piece in samples[: 38 * FRAME].split(777):
        pieces = pieces.push(piece[None])
    assert torch.equal(pieces.features(encoder, 30, 8), once.features(encoder, 30, 8))


def test_restored_stream_goes_on_as_before(encoder):
    config = Wav2Vec2StreamConfig(window=20, look_ahead=2)
    stream = Wav2Vec2Stream(config, seconds=1.0).push(speech(35 * FRAME))
    restored = Wav2Vec2Stream(config).restored(stream.tensors())
    more = speech(7 * FRAME, seed=1)
    assert restored.clock == stream.clock
    assert torch.equal(restored.push(more).features(encoder, 33, 7), stream.push(more).features(encoder, 33, 7))


def test_pushing_leaves_the_old_stream_as_it_was(encoder):
    stream = Wav2Vec2Stream(CONFIG).push(speech(30 * FRAME))
    before = stream.features(encoder, 20, 5)
    stream.push(speech(30 * FRAME, seed=1))
    assert torch.equal(stream.features(encoder, 20, 5), before)


def test_needed_is_exactly_enough(encoder):
    stream = Wav2Vec2Stream(Wav2Vec2StreamConfig(window=20, look_ahead=3))
    needed = stream.needed(11)
    assert needed == 15 * FRAME
    assert stream.push(speech(needed)).features(encoder, 8, 4).shape == (1, 4, LAYERS * WIDTH)
    with pytest.raises(ValueError, match="push 1 more"):
        stream.push(speech(needed - 1)).features(encoder, 8, 4)


def test_silence_lies_before_the_first_sample(encoder):
    samples = speech(6 * FRAME)
    stream = Wav2Vec2Stream(CONFIG).push(samples)
    window = normalise_loudness(torch.cat([torch.zeros(14 * FRAME), samples]))[None]
    assert torch.equal(stream.features(encoder, -2, 8), encoder.features(window, 20)[:, 12:].flatten(2))


def test_or_the_window_starts_with_the_audio(encoder):
    samples = speech(6 * FRAME)
    stream = Wav2Vec2Stream(Wav2Vec2StreamConfig(window=20, silence=False)).push(samples)
    features = encoder.features(normalise_loudness(samples)[None], 6).flatten(2)
    assert torch.equal(stream.features(encoder, -2, 8), torch.cat([features[:, :1]] * 2 + [features], 1))


def test_more_than_the_window_or_the_ring_holds_is_refused(encoder):
    stream = Wav2Vec2Stream(CONFIG, seconds=1.0).push(speech(60 * FRAME))
    with pytest.raises(ValueError, match="exceed a window of 20"):
        stream.features(encoder, 30, 21)
    with pytest.raises(ValueError, match="use a longer ring"):
        stream.features(encoder, 40, 4)
    with pytest.raises(ValueError, match="mono"):
        stream.push(torch.zeros(2, 100))


# The recording


def test_a_recording_is_encoded_whole(encoder):
    samples = speech(30 * FRAME + 99)
    recording = Wav2Vec2Recording.of(CONFIG, encoder, samples)
    whole = encoder.features_of(normalise_loudness(samples)[None]).flatten(2)
    assert whole.shape[1] == 30
    assert torch.equal(recording.features(encoder, 12, 6), whole[:, 12:18])
    assert torch.equal(recording.features(encoder, -2, 4), whole[:, [0, 0, 0, 1]])
    assert torch.equal(recording.features(encoder, 28, 4), whole[:, [28, 29, 29, 29]])


def test_a_restored_recording_goes_on_as_before(encoder):
    fresh = Wav2Vec2Recording.of(CONFIG, encoder, speech(30 * FRAME))
    recording = fresh.push(torch.zeros(1, 5 * FRAME))
    assert all(tensor.numel() == 1 for tensor in recording.tensors().values())  # saved with every chunk
    restored = fresh.restored(recording.tensors())
    assert restored.clock == 5 * FRAME == restored.needed(4)
    assert torch.equal(restored.features(encoder, 3, 9), recording.features(encoder, 3, 9))


def test_a_recording_of_layers_is_interpolated_behind_the_transformer(model):
    samples = speech(30 * FRAME)[None]
    layers = Wav2Vec2Encoder(model).features(samples, 59).unbind(2)  # 59 positions of its convolutions: unchanged
    recording = Wav2Vec2Recording.of_layers(CONFIG, layers, samples.shape[1], total=34)
    at = np.linspace(0, 58, 30)
    expected = [
        np.stack([np.interp(at, np.arange(59), channel) for channel in layer[0].T.numpy()], 1) for layer in layers
    ]
    found = recording.features(None, 0, 36)[0].numpy()
    np.testing.assert_allclose(found[:30], np.concatenate(expected, 1), atol=1e-5)
    assert found.shape == (36, LAYERS * WIDTH) and not found[30:].any()  # it ended before the other voice


def test_a_click_is_a_recording_of_one_frame(encoder):
    """Shorter than what the convolutions read at once, and than a frame."""
    assert Wav2Vec2Recording.of(CONFIG, encoder, speech(100)).whole.shape == (1, 1, LAYERS * WIDTH)
