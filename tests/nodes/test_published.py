"""Published models in the nodes, with tiny random weights: files, LoRAs, two speakers, what ComfyUI's encoders made."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.core import published
from tests.nodes.fake_comfy import Interrupted, part
from tests.nodes.test_nodes import audio, decoded, image, interrupt_after

lazy = part("nodes.lazy")
InputError = part("echotorrent_core.errors").InputError
PRESET = "flashtalk_14b"  # windows of 33 frames
GUIDED = "infinitetalk_14b"
FILES = {
    "diffusion_model": "m/a.safetensors",
    "audio_adapter": "m/deeper/b.safetensors",
    "vae": "m/c.safetensors",
    "text_encoder": "m/d.safetensors",
    "clip_vision": "m/e.safetensors",
    "audio_encoder": "m/f.safetensors",
}
KINDS = {"diffusion_model": "diffusion_models", "audio_adapter": "diffusion_models", "vae": "vae"} | {
    "text_encoder": "text_encoders",
    "clip_vision": "clip_vision",
    "audio_encoder": "audio_encoders",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return published.write(tmp_path_factory.mktemp("models"))


@pytest.fixture
def files(host, folder):
    """The tiny models in the host's model folders."""
    (host.base / "m").symlink_to(folder)
    for input, file in FILES.items():
        host.models.setdefault(KINDS[input], []).append(file)
    host.models["loras"] = ["style.safetensors", "gone.safetensors", "other.safetensors"]
    return host


@pytest.fixture
def load(nodes, files):
    """A model of them, of 32 x 32 pixels; keyword arguments replace or leave out (None) inputs."""

    def model(preset=PRESET, **change):
        inputs = {**FILES, "precision": "fp32", "width": 32, "height": 32, **change}
        given = {name: value for name, value in inputs.items() if value is not None}
        return nodes["EchoTorrent_LoadModel"].execute(preset, **given).args[0]

    return model


def stream(model, prompt="", sounds=None, masks=(), outputs=(), **given):
    look = lazy.Look(image(32, 32), prompt, masks, **given)
    return lazy.Stream(model, look, lazy.Sound(*(sounds or [audio()]), encoder_outputs=outputs), 3)


def lead(nodes, given):
    """What a saved run goes on from: latents that all its inputs reached."""
    made = nodes["EchoTorrent_SaveVideo"].execute(lazy.Frames(given), "talk")
    return load_file(made.args[0].path.replace(".mp4", "/state.safetensors"))["stream.lead"]


def voices(seconds=1.5):
    """Two that differ."""
    return audio(seconds), {"waveform": audio(seconds)["waveform"].flip(-1), "sample_rate": 16000}


# ---- two speakers


def test_two_speakers_with_masks_are_interrupted_and_go_on(nodes, files, load):
    left = torch.zeros(1, 24, 24)
    left[..., :12] = 1
    given = lazy.Frames(stream(load(), sounds=voices(3.0), masks=(left, 1 - left)))
    save = nodes["EchoTorrent_SaveVideo"]
    whole = save.execute(given, "whole")
    assert len(decoded(whole.args[0].path)[0]) == 75
    files.events.clear()
    interrupt_after(files, 1)
    with pytest.raises(Interrupted):
        save.execute(given, "part")
    (run,) = (run for run in part("nodes.host").RUNS.snapshots() if run["name"] == "part")
    resumed = save.execute(given, "part", run["id"])
    assert Path(resumed.args[0].path).read_bytes() == Path(whole.args[0].path).read_bytes()


def test_each_voice_and_each_mask_matters(nodes, load):
    left, right = torch.zeros(2, 1, 48, 48)
    left[:, 2:, :24] = right[:, 2:, 24:] = 1  # not to the edge, as the halves
    one, two = voices()
    model = load()
    found = [
        lead(nodes, stream(model, sounds=sounds, masks=masks))
        for sounds, masks in (
            ((one,), ()),
            ((one, two), ()),
            ((one, two), (left, right)),
            ((two, one), (left, right)),
            ((two, one), (right, left)),
        )
    ]
    assert torch.equal(found[1], found[2])  # without masks: the halves
    assert not any(torch.equal(found[i], found[j]) for i, j in ((0, 1), (2, 3), (3, 4)))


@pytest.mark.parametrize(
    ("masks", "words"),
    [
        ((torch.ones(1, 20, 48), torch.ones(1, 20, 48)), "paint it over the picture"),
        ((torch.eye(48)[None] * torch.eye(48)[5], torch.ones(1, 48, 48)), "mask of speaker 1 is empty, or so small"),
    ],
)
def test_masks_that_do_not_fit_are_refused_before_weights_load(files, load, masks, words):
    with pytest.raises(InputError, match=words) as error:
        stream(load(), sounds=voices(), masks=masks)
    assert "\n" not in str(error.value) and not files.loaded


# ---- what ComfyUI's own encoders made


def conditioning(engine, prompt, rows=512):
    """As CLIP Text Encode gives it: one entry, padded with empty rows."""
    text = engine.text.encode(prompt).float()
    return [[torch.nn.functional.pad(text, (0, 0, 0, rows - text.shape[1])), {"pooled_output": None}]]


class Output:
    """As ComfyUI's: attributes that are also items."""

    def __init__(self, **fields):
        self.__dict__.update(fields)

    def __getitem__(self, key):
        return getattr(self, key)


def speech_output(seconds, width=published.SPEECH, layers=published.LAYERS, seed=0):
    """As Audio Encoder Encode gives it: what goes into the first layer, and what comes out of each."""
    generator = torch.Generator().manual_seed(seed)
    length = 1 + (round(seconds * 16000) - 400) // 320
    states = tuple(torch.randn(1, length, width, generator=generator) for _ in range(layers + 1))
    return {"encoded_audio": states[-1], "encoded_audio_all_layers": states, "audio_samples": round(seconds * 16000)}


def test_conditioning_of_the_same_encoder_gives_the_same_video(nodes, load):
    whole, bare = load(), load(text_encoder=None)
    given = conditioning(whole.engine(), "a smile")
    expected = lead(nodes, stream(whole, "a smile"))
    assert torch.equal(lead(nodes, stream(bare, conditioning=given)), expected)
    assert torch.equal(lead(nodes, stream(whole, conditioning=given)), expected)
    assert not torch.equal(lead(nodes, stream(whole, "sad")), expected)


def test_empty_conditioning_is_that_of_padding(load):
    """As Conditioning Zero Out makes it."""
    rows = stream(load(), conditioning=[[torch.zeros(1, 512, published.TEXT), {}]]).look.text
    assert rows.shape == (1, 1, published.TEXT) and not rows.any()


def test_tokens_of_the_same_encoder_give_the_same_video(nodes, load):
    whole, bare = load(), load(clip_vision=None)
    given = stream(whole)
    tokens = whole.engine().clip.encode(given.look.image((32, 32))[None])
    output = Output(last_hidden_state=None, penultimate_hidden_states=tokens)
    expected = lead(nodes, given)
    assert torch.equal(lead(nodes, stream(bare, clip_vision_output=output)), expected)
    other = Output(penultimate_hidden_states=-tokens)
    assert not torch.equal(lead(nodes, stream(bare, clip_vision_output=other)), expected)


def test_encoded_speech_is_heard(nodes, files, load):
    """The engine stepped by hand with the features, at the audio's own frames; two speakers of different length."""
    recording = part("echotorrent_core.conditioning.wav2vec2").Wav2Vec2Recording
    sounds = audio(1.2), audio(0.8)
    outputs = speech_output(1.2), speech_output(0.8, seed=1)
    model = load(audio_encoder=None)
    given = stream(model, sounds=sounds, outputs=outputs)
    engine = model.engine()
    state = engine.start(
        given.condition(engine),
        3,
        audio=[
            recording.of_layers(engine.config.audio, output["encoded_audio_all_layers"][1:], n, 30)
            for output, n in zip(outputs, (19200, 12800), strict=True)
        ],
    )
    assert [source.whole.shape for source in state.audio] == [(1, 30, 128)] * 2
    assert state.audio[1].whole[0, :20].any() and not state.audio[1].whole[0, 20:].any()
    state, _ = engine.step(state, torch.zeros(2, engine.samples_needed(state)), total=30)
    assert torch.equal(lead(nodes, given), state.lead)


def test_encoded_speech_is_interrupted_and_goes_on(nodes, files, load):
    given = lazy.Frames(stream(load(), sounds=(audio(3.0),), outputs=(speech_output(3.0),)))
    save, runs = nodes["EchoTorrent_SaveVideo"], part("nodes.host").RUNS
    whole = save.execute(given, "whole")
    files.events.clear()
    interrupt_after(files, 1)
    with pytest.raises(Interrupted):
        save.execute(given, "part")
    (run,) = (run for run in runs.snapshots() if run["name"] == "part")
    resumed = save.execute(given, "part", run["id"])
    assert Path(resumed.args[0].path).read_bytes() == Path(whole.args[0].path).read_bytes()


def test_a_run_is_resumed_with_the_same_encoded_inputs_only(nodes, load):
    model = load()
    text = [[torch.ones(1, 2, published.TEXT), {}]]
    tokens = Output(penultimate_hidden_states=torch.ones(1, 257, published.IMAGE))
    given = {"conditioning": text, "clip_vision_output": tokens}
    left = torch.ones(1, 48, 48)
    both = {"sounds": voices(), "outputs": (speech_output(1.5), speech_output(1.5)), "masks": (left, left)}
    made = nodes["EchoTorrent_SaveVideo"].execute(lazy.Frames(stream(model, **given, **both)), "talk")
    changes = {
        "conditioning": {"conditioning": [[-torch.ones(1, 2, published.TEXT), {}]]},
        "clip_vision_output": {"clip_vision_output": None},
        "audio_encoder_output": {"outputs": (speech_output(1.5), speech_output(1.5, seed=1))},
        "mask": {"masks": (left, left * torch.eye(48))},
    }
    for what, change in changes.items():
        with pytest.raises(InputError, match=f"made with another {what};"):
            again = lazy.Frames(stream(model, **{**given, **both, **change}))
            nodes["EchoTorrent_SaveVideo"].execute(again, "talk", made.args[1])


def entry(rows=3, width=published.TEXT, value=1.0, batch=1, **extras):
    return [torch.full((batch, rows, width), value), {"pooled_output": None, **extras}]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([entry(), entry()], "has 2 parts"),
        ([], "has 0 parts"),
        ([entry(batch=2)], "batch of 2"),
        ([entry(value=float("nan"))], "not numbers"),
        ([entry(area=(1, 2, 3, 4), mask=torch.ones(1))], "also says area, mask"),
        ([entry(clip_start_percent=0.0)], "also says clip_start_percent"),
    ],
)
def test_conditioning_that_cannot_be_used(nodes, files, given, words):
    with pytest.raises(InputError, match=words) as error:
        nodes["EchoTorrent_Condition"].execute(image(), "", given)
    assert "\n" not in str(error.value) and not files.loaded


def test_conditioning_takes_the_prompt_s_place(nodes):
    with pytest.raises(InputError, match="a prompt and conditioning"):
        nodes["EchoTorrent_Condition"].execute(image(), "smiling", [entry()])
    assert nodes["EchoTorrent_Condition"].execute(image(), " \n", [entry()]).args[0].text.shape == (1, 3, 32)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (Output(penultimate_hidden_states=torch.ones(2, 257, 80)), "batch of 2"),
        (Output(penultimate_hidden_states=torch.ones(1, 730, 80)), "has 730 tokens"),
        (Output(penultimate_hidden_states=torch.full((1, 257, 80), torch.inf)), "not numbers"),
        (Output(last_hidden_state=torch.ones(1, 257, 80)), "holds no tokens"),
        ({}, "holds no tokens"),
    ],
)
def test_clip_vision_output_that_cannot_be_used(nodes, files, given, words):
    with pytest.raises(InputError, match=words) as error:
        nodes["EchoTorrent_Condition"].execute(image(), "", None, given)
    assert "\n" not in str(error.value) and not files.loaded


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ([speech_output(3.0)], r"is of 3\.0 s and the audio has 1\.5 s"),
        ([{"encoded_audio": torch.ones(1, 2, 3)}], "holds no layers"),
        ([{"encoded_audio_all_layers": (torch.ones(1, 74, 8),)}], "holds no layers"),
        ([{"encoded_audio_all_layers": (torch.ones(2, 74, 8),) * 3}], "batch of 2"),
        ([{"encoded_audio_all_layers": (torch.full((1, 74, 8), torch.nan),) * 3}], "not numbers"),
        ([None, speech_output(1.5)], "not one audio_encoder_output for each audio"),
        ([speech_output(1.5), speech_output(1.5)], "not one audio_encoder_output for each audio"),
    ],
)
def test_encoded_speech_that_cannot_be_used(nodes, files, outputs, words):
    with pytest.raises(InputError, match=words) as error:
        nodes["EchoTorrent_EncodeAudio"].execute(audio(), None, *outputs)
    assert "\n" not in str(error.value) and not files.loaded


def test_two_voices_need_two_outputs(nodes):
    with pytest.raises(InputError, match="encode all voices or none"):
        nodes["EchoTorrent_EncodeAudio"].execute(audio(), audio(), speech_output(1.5))
    (sound,) = nodes["EchoTorrent_EncodeAudio"].execute(audio(), audio(), *[speech_output(1.5)] * 2).args
    assert len(sound.layers) == 2


WIDE = Output(penultimate_hidden_states=torch.ones(1, 257, 81))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"conditioning": [entry(width=768)]}, "has 3 rows of 768 values, .* at most 512 of 32"),
        ({"conditioning": [entry(rows=513)]}, "has 513 rows"),
        ({"clip_vision_output": WIDE}, "is 81 wide, .* takes 80"),
        ({"outputs": [speech_output(1.5, layers=3)]}, "has 3 layers of 64 values, .* takes 128 in all"),
        ({"outputs": [speech_output(1.5, width=32)]}, "has 2 layers of 32 values"),
    ],
)
def test_what_was_encoded_for_another_model(files, load, given, words):
    with pytest.raises(InputError, match=words) as error:
        stream(load(), **given)
    assert "\n" not in str(error.value) and not files.loaded


@pytest.mark.parametrize(
    "given", [{"conditioning": [entry()]}, {"clip_vision_output": WIDE}, {"outputs": [speech_output(1.5)]}]
)
def test_the_embedded_model_has_encoders_of_its_own(nodes, host, given):
    (model,) = nodes["EchoTorrent_LoadModel"].execute("embedded").args
    with pytest.raises(InputError, match=r"has no use for \w+; disconnect it"):
        stream(model, **given)
    assert not host.loaded


# ---- files


@pytest.mark.parametrize(
    ("left_out", "words"),
    [
        ("text_encoder", "needs a file for text_encoder; .* or connect conditioning"),
        ("clip_vision", "needs a file for clip_vision; .* or connect clip_vision_output"),
        ("audio_encoder", "needs a file for audio_encoder; .* or connect audio_encoder_output"),
    ],
)
def test_encoders_are_missed_where_nothing_stands_for_them(files, load, left_out, words):
    with pytest.raises(InputError, match=words) as error:
        stream(load(**{left_out: None}))
    assert "\n" not in str(error.value) and not files.loaded


def test_guidance_by_text_needs_the_text_encoder_in_any_case(files, load):
    with pytest.raises(InputError, match=r"needs a file for text_encoder; .* encodes a negative prompt too"):
        stream(load(GUIDED, text_encoder=None), conditioning=[entry()])
    stream(load(GUIDED), conditioning=[entry()])


@pytest.mark.parametrize("left_out", ["diffusion_model", "audio_adapter", "vae"])
def test_what_nothing_stands_for_is_missed_at_once(files, load, left_out):
    with pytest.raises(InputError, match="which is missing") as error:
        load(**{left_out: None})
    assert "\n" not in str(error.value) and not files.loaded


STRANGERS = {
    "conditioner.embedders.1.model.x": "SDXL checkpoint",
    "double_blocks.0.img_attn.qkv.weight": "Flux checkpoint",
    "something.weight": "fit no known model",
}


@pytest.mark.parametrize(("key", "words"), STRANGERS.items())
@pytest.mark.parametrize("input", ["diffusion_model", "vae", "text_encoder", "clip_vision", "audio_encoder"])
def test_checkpoints_of_other_families_are_refused_in_every_place(files, load, input, key, words):
    published.save({key: torch.zeros(2, 2)}, files.base / "foreign.safetensors")
    files.models[KINDS[input]].append("foreign.safetensors")
    with pytest.raises(InputError, match=rf"foreign\.safetensors: .*{words}") as error:
        load(**{input: "foreign.safetensors"})
    assert "\n" not in str(error.value) and not files.loaded


def test_a_file_in_the_wrong_place_is_said(files, load):
    files.models["vae"].append(FILES["text_encoder"])
    with pytest.raises(InputError, match=r"needs a Wan 2\.1 VAE, which is missing"):
        load(vae=FILES["text_encoder"], text_encoder=None)


@pytest.mark.parametrize("size", [(33, 32), (32, 650), (8, 8)])
def test_sizes_off_the_grid_name_the_nearest(files, load, size):
    with pytest.raises(InputError, match=r"divisible by 16; the nearest is \d+x\d+") as error:
        load(width=size[0], height=size[1])
    assert "\n" not in str(error.value) and not files.loaded


# ---- LoRAs


def write_lora(path, block=0, scale=1.0):
    generator = torch.Generator().manual_seed(0)
    down, up = torch.randn(4, 128, generator=generator), torch.randn(128, 4, generator=generator) * scale
    names = {f"blocks.{block}.self_attn.v.lora_{half}.weight": value for half, value in (("A", down), ("B", up))}
    published.save(names, path)


def test_loras_are_chained_and_leave_the_given_model_alone(nodes, files, load):
    add = nodes["EchoTorrent_LoadLora"].execute
    write_lora(files.base / "style.safetensors")
    write_lora(files.base / "other.safetensors", block=1)
    plain = load()
    (one,) = add(plain, "style.safetensors", 0.5).args
    (two,) = add(one, "other.safetensors", 1.0).args
    (other,) = add(plain, "other.safetensors", 1.0).args
    (weaker,) = add(plain, "other.safetensors", 0.2).args
    assert not files.loaded
    models = (plain, one, two, other, weaker)
    found = [lead(nodes, stream(model)) for model in models]
    assert not any(torch.equal(found[i], found[j]) for i in range(5) for j in range(i))
    assert len({model.engine().fingerprint for model in models}) == 5  # a run is resumed with the same LoRAs
    assert add(plain, "none").args[0] is plain


@pytest.mark.parametrize(
    ("lora", "words"),
    [("gone.safetensors", "is not in ComfyUI's folder loras; put it there"), ("other.safetensors", "other")],
)
def test_loras_that_cannot_be_added(nodes, files, load, lora, words):
    published.save({"lora_te1_x.lora_down.weight": torch.zeros(2, 2)}, files.base / "other.safetensors")
    with pytest.raises(InputError, match=words) as error:
        nodes["EchoTorrent_LoadLora"].execute(load(), lora)
    assert "\n" not in str(error.value) and not files.loaded
    write_lora(files.base / "other.safetensors", block=7)  # of a deeper model
    with pytest.raises(InputError, match=words):
        nodes["EchoTorrent_LoadLora"].execute(load(), lora)


def test_the_embedded_model_takes_no_lora(nodes, host):
    (model,) = nodes["EchoTorrent_LoadModel"].execute("embedded").args
    with pytest.raises(InputError, match="takes no LoRA; remove this node"):
        nodes["EchoTorrent_LoadLora"].execute(model, "style.safetensors")
