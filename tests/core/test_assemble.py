"""From files to a running engine, for each family of published weights, with tiny random ones."""

import dataclasses

import pytest
import torch

from echotorrent_core.assemble import assemble, choose, collect
from echotorrent_core.conditioning import clip, umt5, wav2vec2
from echotorrent_core.errors import InputError
from echotorrent_core.state import StreamState
from tests.core import published
from tests.core.published import OPTIONS, small

FAMILIES = ("infinitetalk_14b", "infinitetalk_14b_lightx2v", "flashtalk_14b", "echotorrent_14b")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return published.write(tmp_path_factory.mktemp("models"))


def run(engine, chunks, state=None):
    image = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    state = state or engine.start(engine.condition(image, "a smile"), seed=0)
    videos = []
    for _ in range(chunks):
        sound = 0.1 * torch.randn(engine.samples_needed(state), generator=torch.Generator().manual_seed(state.chunk))
        state, video = engine.step(state, sound)
        videos.append(video)
    return state, videos


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_streams_from_a_folder(folder, name, tmp_path):
    engine = assemble(small(name), [folder], OPTIONS)
    assert engine.config.trunk == published.TRUNK and engine.config.vae.widths == (4, 8, 16, 16)
    state, videos = run(engine, 2)
    rolling = engine.config.stream.window is None
    assert [v.shape[2] for v in videos] == ([13, 16] if rolling else [13, 8])
    assert all(bool(torch.isfinite(v).all()) and v.std() > 0.01 for v in videos)
    assert bool(state.history.rings) == rolling

    state.save(tmp_path / "state")
    again = assemble(small(name), [folder], OPTIONS)
    assert again.fingerprint == engine.fingerprint
    _, (resumed,) = run(again, 1, StreamState.load(tmp_path / "state", again))
    _, (expected,) = run(engine, 1, state)
    assert torch.equal(resumed, expected)


@pytest.mark.parametrize("quantise", ["fp8", "int8"])
def test_quantised_weights_give_nearly_the_same_frames(folder, quantise):
    config = small("flashtalk_14b")
    _, (exact,) = run(assemble(config, [folder], OPTIONS), 1)
    engine = assemble(config, [folder], dataclasses.replace(OPTIONS, quantise=quantise))
    _, (close,) = run(engine, 1)
    assert 0 < (exact - close).abs().mean() < 0.1 * exact.std()
    assert engine.fingerprint != assemble(config, [folder], OPTIONS).fingerprint


def test_a_lora_changes_the_frames_by_its_strength(folder, tmp_path):
    dim, file = published.TRUNK.dim, tmp_path / "lora.safetensors"
    generator = torch.Generator().manual_seed(0)
    half = {name: torch.randn(shape, generator=generator) for name, shape in (("down", (4, dim)), ("up", (dim, 4)))}
    published.save({f"diffusion_model.blocks.0.self_attn.v.lora_{k}.weight": v for k, v in half.items()}, file)
    config = small("infinitetalk_14b_lightx2v")
    _, (plain,) = run(assemble(config, [folder], OPTIONS), 1)
    changes = []
    for strength in (0.0, 0.01, 0.1):
        _, (video,) = run(assemble(config, [folder], dataclasses.replace(OPTIONS, loras=((file, strength),))), 1)
        changes.append(float((video - plain).abs().mean()))
    assert changes[0] == 0 < changes[1] < changes[2]


def test_what_is_missing_or_there_twice_is_said(folder, tmp_path):
    parts = sorted(folder.rglob("*.safetensors"))
    by_kind = {part.kind: part.source.files[0] for part in collect([folder])}
    for kind, words in (("vae", "VAE"), ("umt5", "umT5"), ("wav2vec2", "wav2vec"), ("audio_adapter", "audio adapter")):
        with pytest.raises(InputError, match=f"needs an? .*{words}.*missing"):
            assemble(small("flashtalk_14b"), [path for path in parts if path != by_kind[kind]], OPTIONS)
    twice = tmp_path / "copy.safetensors"
    twice.write_bytes(by_kind["vae"].read_bytes())
    with pytest.raises(InputError, match="takes one of"):
        assemble(small("flashtalk_14b"), [folder, twice], OPTIONS)
    with pytest.raises(InputError, match="tokenizer"):
        moved = tmp_path / "text" / "d.safetensors"
        moved.parent.mkdir()
        moved.write_bytes(by_kind["umt5"].read_bytes())
        assemble(small("flashtalk_14b"), [*(p for p in parts if p != by_kind["umt5"]), moved], OPTIONS)


def test_other_files_of_a_folder_are_passed_over(folder, tmp_path):
    (tmp_path / "notes.safetensors").write_text("no weights at all")
    published.save({"conditioner.embedders.1.model.x": torch.zeros(2)}, tmp_path / "sdxl.safetensors")
    assert len(collect([folder, tmp_path])) == len(collect([folder])) == 6
    with pytest.raises(InputError, match="SDXL"):
        collect([tmp_path / "sdxl.safetensors"])


ENCODERS = frozenset({"umt5", "clip_vision", "wav2vec2"})


def test_encoders_may_be_missing_where_what_they_make_is_given(folder):
    """Frames are those of the engine that has them; what would have to be encoded is refused."""
    parts = collect([folder])
    files = [part.source.files[0] for part in parts if part.kind not in ENCODERS]
    optional = dataclasses.replace(OPTIONS, optional=ENCODERS)
    config, image = small("infinitetalk_14b_lightx2v"), torch.rand(3, 32, 32) * 2 - 1
    whole, bare = assemble(config, [folder], OPTIONS), assemble(config, files, optional)
    assert choose(config, files, optional).missing == ENCODERS and not choose(config, [folder], optional).missing
    cond = whole.condition(image, "a smile")
    given = bare.condition(image, text=cond.text, tokens=cond.image)
    sound = 0.1 * torch.randn(16000, generator=torch.Generator().manual_seed(0))
    recording = wav2vec2.Wav2Vec2Recording.of(config.audio, whole.audio, sound)
    videos = []
    for engine, condition in ((whole, cond), (bare, given)):
        state = engine.start(condition, 0, audio=[recording])
        videos.append(engine.step(state, sound[: engine.samples_needed(state)])[1])
    assert torch.equal(*videos)
    for encode in (
        lambda: bare.condition(image, "a smile", tokens=cond.image),
        lambda: bare.condition(image, text=cond.text),
        lambda: bare.step(bare.start(given, 0), sound[: bare.samples_needed(bare.start(given, 0))]),
    ):
        with pytest.raises(InputError, match=r"there is no .* encoder to encode with"):
            encode()
    with pytest.raises(InputError, match="which is missing"):
        choose(config, files, dataclasses.replace(optional, optional=ENCODERS - {"umt5"}))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"text": torch.zeros(1, 3, 7)}, "expected one prompt of at most 512 rows of 32"),
        ({"text": torch.zeros(1, 513, 32)}, "at most 512 rows"),
        ({"text": torch.zeros(2, 3, 32)}, "one prompt"),
        ({"tokens": torch.zeros(1, 257, 81)}, "80 wide"),
        ({"tokens": torch.zeros(2, 257, 80)}, "of one picture"),
    ],
)
def test_what_was_encoded_for_another_model_is_refused(folder, given, words):
    engine = assemble(small("flashtalk_14b"), [folder], OPTIONS)
    with pytest.raises(ValueError, match=words):
        engine.condition(torch.zeros(3, 32, 32), "", **given)


def test_encoders_of_another_width_are_refused_by_their_headers(folder, tmp_path):
    """Before anything is loaded: the speech encoder of other layers, text and image encoders of other widths."""
    from safetensors.torch import load_file

    for part in collect([folder]):
        if part.kind not in ENCODERS:
            continue
        (file,) = part.source.files
        others = [path for path in folder.rglob("*.safetensors") if path != file]
        tensors = load_file(file)
        if part.kind == "wav2vec2":
            changed = {key: value for key, value in tensors.items() if "layers.1." not in key}
        else:
            (table,) = (key for key in tensors if key.endswith(("shared.weight", "position_embedding.weight")))
            changed = tensors | {table: torch.zeros(tensors[table].shape[0], 8)}
        (tmp_path / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())
        published.save(changed, tmp_path / "other.safetensors")
        with pytest.raises(InputError, match=r"other\.safetensors: is .* wide where the model expects"):
            choose(small("flashtalk_14b"), [*others, tmp_path / "other.safetensors"])


def test_encoders_have_a_device_of_their_own(folder, monkeypatch):
    """And what they make goes to the trunk's."""
    seen = {}
    for module, name in ((wav2vec2, "load_wav2vec2"), (umt5, "load_umt5"), (clip, "load_clip")):
        load = getattr(module, name)

        def watched(source, dtype, device, load=load, name=name):
            seen[name] = device
            return load(source, dtype, "cpu")

        monkeypatch.setattr(module, name, watched)
    engine = assemble(small("flashtalk_14b"), [folder], dataclasses.replace(OPTIONS, encoder_device="cuda:7"))
    run(engine, 1)
    assert seen == dict.fromkeys(("load_wav2vec2", "load_umt5", "load_clip"), "cuda:7")
    assert engine.device == torch.device("cpu")


def test_a_lora_is_matched_before_anything_is_read(folder, tmp_path):
    chosen = choose(small("flashtalk_14b"), [folder], OPTIONS)
    file = tmp_path / "lora.safetensors"
    halves = {"down": torch.zeros(4, published.TRUNK.dim), "up": torch.zeros(published.TRUNK.dim, 4)}
    published.save({f"blocks.0.self_attn.v.lora_{k}.weight": v for k, v in halves.items()}, file)
    assert list(chosen.lora(file, 0.5).deltas) == ["blocks.0.self_attn.v.weight"]
    published.save({f"blocks.9.self_attn.v.lora_{k}.weight": v for k, v in halves.items()}, file)
    with pytest.raises(InputError, match=r"lora\.safetensors"):
        chosen.lora(file, 1.0)
