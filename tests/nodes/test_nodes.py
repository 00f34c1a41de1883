"""The nodes in a pretended ComfyUI with the toy model: what they refuse, make, keep and go on with."""

import gc
import weakref
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from tests.nodes.fake_comfy import Interrupted, part

lazy = part("nodes.lazy")
InputError = part("echotorrent_core.errors").InputError
RATE = 16000


def image(height=40, width=36, channels=3, batch=1):
    return torch.rand(batch, height, width, channels, generator=torch.Generator().manual_seed(0))


def audio(seconds=1.5, rate=RATE, channels=1, batch=1, level=0.3):
    n = round(seconds * rate)
    wave = level * torch.sin(2 * torch.pi * 220 * torch.arange(n) / rate) * torch.sin(6 * torch.arange(n) / rate)
    return {"waveform": wave.expand(batch, channels, n).clone(), "sample_rate": rate}


class Toy:
    """The debug preset as a model node would hand it on; counts how often its weights were asked for."""

    def __init__(self):
        engine, presets = part("echotorrent_core.stream").Engine, part("echotorrent_core.presets")
        self.loads = 0

        def load():
            self.loads += 1
            return engine.from_preset("debug")

        self.model = lazy.Model(presets.get_preset("debug"), load, part("nodes.host").keep)


@pytest.fixture
def toy(host):
    return Toy()


def frames(toy, prompt="", seconds=1.5, seed=3, sound=None):
    stream = lazy.Stream(toy.model, lazy.Look(image(), prompt), lazy.Sound(sound or audio(seconds)), seed)
    return lazy.Frames(stream)


def decoded(path):
    """Frames (T, H, W, 3) and seconds of sound of a video file."""
    with av.open(str(path)) as container:
        pictures = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    with av.open(str(path)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    return pictures, samples / 48000


def interrupt_after(host, chunks):
    """Set the interrupt flag once so many chunks are announced."""
    told = host.events.append

    def append(kind, event):
        told(event)
        if event["kind"] == "chunk" and event["chunk"] == chunks - 1:
            host.interrupt = True

    host.instance.send_sync = append


# ---- inputs


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (image(batch=2), "batch of 2"),
        (image(1, 1), "1 x 1"),
        (image(channels=2), "2 channels"),
        (image() * torch.nan, "not numbers"),
        (image()[0], "batch of 40"),
    ],
)
def test_pictures_that_cannot_be_used(nodes, picture, words):
    with pytest.raises(InputError, match=words) as error:
        nodes["EchoTorrent_Condition"].execute(picture if picture.ndim == 4 else picture[..., None], "")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("sound", "words"),
    [
        (audio(0), "empty"),
        (audio(0.01), "shorter than one frame"),
        (audio(level=0), "silent"),
        (audio(level=float("nan")), "not numbers"),
        (audio(batch=2), "batch of 2"),
    ],
)
def test_sounds_that_cannot_be_used(nodes, sound, words):
    with pytest.raises(InputError, match=words) as error:
        nodes["EchoTorrent_EncodeAudio"].execute(sound)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (44100, 2), (96000, 7), (22050, 6), (11025, 1)])
def test_any_rate_and_channels(nodes, rate, channels):
    """Both tracks have the sound's length, and its pitch."""
    (sound,) = nodes["EchoTorrent_EncodeAudio"].execute(audio(1.0, rate, channels)).args
    mono, stereo = (np.concatenate(parts, -1) for parts in zip(*sound.blocks(RATE), strict=True))
    assert abs(len(mono) - RATE) < 100 and stereo.shape == (2, 3 * len(mono))
    assert round(np.abs(np.fft.rfft(mono[:RATE])).argmax() * RATE / len(mono[:RATE])) in range(216, 225)


def test_blocks_go_on_where_they_were_left():
    sound = lazy.Sound(audio(1.0, 44100))
    whole = np.concatenate([mono for mono, _ in sound.blocks(RATE)])
    rest = np.concatenate([mono for mono, _ in sound.blocks(RATE, 7000)])
    assert np.array_equal(whole[7000:], rest)


def test_two_voices_keep_time():
    sound = lazy.Sound(audio(2.5), audio(1.0, 48000, 2))
    monos, stereo = zip(*sound.blocks(RATE), strict=True)
    both, track = np.concatenate(monos, 1), np.concatenate(stereo, 1)
    assert both.shape == (2, round(2.5 * RATE)) and track.shape == (2, 3 * both.shape[1])
    assert np.abs(both[1, : RATE - 100]).max() > 0.1 and not both[1, RATE + 100 :].any()


def test_transparent_and_grey_pictures(nodes):
    """Transparency lies over mid grey; sizes are covered, not squeezed."""
    condition = nodes["EchoTorrent_Condition"].execute
    clear = image(channels=4)
    clear[..., 3] = 0
    assert condition(clear, "").args[0].image((32, 32)).abs().max() < 0.02
    assert condition(image(channels=1), "").args[0].image((32, 48)).shape == (3, 32, 48)
    odd = image(37, 51)
    odd[:, :, 3:48] = 1  # all of it that is seen: the centre, 37 x 37
    assert condition(odd, "").args[0].image((32, 32)).min() > 0.97


def test_speakers_must_fit(toy):
    two = lazy.Sound(audio(), audio())
    with pytest.raises(InputError, match="knows one speaker"):
        lazy.Stream(toy.model, lazy.Look(image()), two, 0)
    masks = (torch.ones(1, 8, 8), torch.ones(1, 8, 8))
    with pytest.raises(InputError, match="one voice"):
        lazy.Stream(toy.model, lazy.Look(image(), "", masks), lazy.Sound(audio()), 0)
    with pytest.raises(InputError, match="mask of speaker 2 is empty"):
        lazy.Look(image(), "", (torch.ones(1, 8, 8), torch.zeros(1, 8, 8)))
    with pytest.raises(InputError, match="mask of speaker 1 is a batch of 2"):
        lazy.Look(image(), "", (torch.ones(2, 8, 8), torch.ones(1, 8, 8)))


def test_one_mask_is_not_enough(nodes):
    with pytest.raises(InputError, match="both masks or none"):
        nodes["EchoTorrent_Condition"].execute(image(), "", mask=torch.ones(1, 8, 8))


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"preset": "embeded"}, "did you mean 'embedded'"),
        ({"preset": "embedded", "vae": "x.safetensors"}, "set vae back"),
        ({"preset": "embedded", "width": 64}, "set width back"),
        ({"preset": "embedded", "precision": "fp8"}, "set precision back"),
        ({"preset": "infinitetalk_14b", "diffusion_model": "gone.safetensors"}, "not in ComfyUI's folder"),
        ({"preset": "infinitetalk_14b", "width": 650, "height": 640}, "nearest is"),
        ({"preset": "infinitetalk_14b"}, "missing"),
        ({"preset": "infinitetalk_14b", "diffusion_model": "wan.safetensors"}, "wan.safetensors"),
    ],
)
def test_models_that_cannot_be_loaded(nodes, host, inputs, words):
    (host.base / "wan.safetensors").write_bytes(b"not weights at all")
    with pytest.raises(InputError, match=words) as error:
        nodes["EchoTorrent_LoadModel"].execute(**inputs)
    assert "\n" not in str(error.value) and not host.loaded


# ---- videos


def test_saves_a_video(nodes, host, toy):
    given = frames(toy)
    assert toy.loads == 0  # nothing before somebody pulls
    made = nodes["EchoTorrent_SaveVideo"].execute(given, "talk")
    pictures, seconds = decoded(made.args[0].path)
    assert len(pictures) == 38 and seconds == pytest.approx(1.52, abs=0.03)
    (file,) = made.ui["images"]
    assert (host.base / "output" / file["subfolder"] / file["filename"]).samefile(made.args[0].path)
    assert [event["n"] for event in host.events] == list(range(1, len(host.events) + 1))
    assert [event["kind"] for event in host.events] == ["start", "chunk", "chunk", "chunk", "end"]
    run = part("nodes.host").RUNS.snapshot(made.args[1])
    assert run["state"] == "finished" and run["frames"] == 38 and run["name"] == "talk" and run["prompt_id"] == "prompt"
    assert toy.loads == 1 and len(host.loaded[0][0]) == 4 and host.loaded[0][1]["force_full_load"]


def test_interrupt_keeps_and_resume_goes_on(nodes, host, toy, chunks=2):
    """An interrupted and resumed run is byte for byte that of an unbroken one, prompts that change included."""
    save, runs = nodes["EchoTorrent_SaveVideo"], part("nodes.host").RUNS
    given = frames(toy, "0: smiling / 0.4: looks left / 1: sad / 2: glad", seconds=3)
    whole = save.execute(given, "whole")
    host.events.clear()
    interrupt_after(host, chunks)
    with pytest.raises(Interrupted):
        save.execute(given, "part")
    (run,) = (run for run in runs.snapshots() if run["name"] == "part")
    assert run["state"] == "stopped" and chunks <= run["chunks"] < 5 and not runs.live
    assert "resume" in run["message"]
    kept, _ = decoded(runs.find(run["id"]).with_name(f"part_{run['id']}.mp4"))
    assert len(kept) == run["frames"]
    before = save.fingerprint_inputs(resume=run["id"])
    resumed = save.execute(given, "part", run["id"])
    assert resumed.args[1] == run["id"] and save.fingerprint_inputs(resume=run["id"]) != before
    assert Path(resumed.args[0].path).read_bytes() == Path(whole.args[0].path).read_bytes()
    again = save.execute(given, "part", run["id"])  # a finished run is only shown
    assert again.args[0].path == resumed.args[0].path


def test_prompts_change_the_video(nodes, host, toy):
    save = nodes["EchoTorrent_SaveVideo"]
    events = part("nodes.host").RUNS.events
    made = save.execute(frames(toy, "0: smiling / 0.6: sad"), "a")
    assert [e["prompt"] for e in events(made.args[1]) if "prompt" in e] == ["sad"]


def test_a_run_is_resumed_with_the_same_inputs_only(nodes, host, toy):
    save = nodes["EchoTorrent_SaveVideo"]
    made = save.execute(frames(toy, seconds=0.5), "talk")
    for other in (frames(toy, seconds=0.6), frames(toy, "sad", 0.5)):
        with pytest.raises(InputError, match=r"made with another (audio|prompt)"):
            save.execute(other, "talk", made.args[1])
    again = save.execute(frames(toy, seconds=0.5, seed=4), "talk", made.args[1])  # the run keeps its own seed
    assert again.args[0].path == made.args[0].path


def test_stop_and_keep(nodes, host, toy):
    """Stopping from outside ends the node well, with what there is."""
    runs = part("nodes.host").RUNS
    told = host.events.append

    def stop(kind, event):
        told(event)
        if event["kind"] == "chunk" and event["chunk"] == 0:
            assert runs.stop(event["run"])

    host.instance.send_sync = stop
    made = nodes["EchoTorrent_SaveVideo"].execute(frames(toy, seconds=20), "talk")
    run = runs.snapshot(made.args[1])
    assert run["state"] == "stopped" and 0 < run["seconds"] < 10
    assert len(decoded(made.args[0].path)[0]) == run["frames"]
    assert not runs.stop(made.args[1])


def test_interrupt_before_anything_is_made(nodes, host, toy):
    host.interrupt = True
    with pytest.raises(Interrupted):
        nodes["EchoTorrent_SaveVideo"].execute(frames(toy, seconds=20), "talk")
    assert not part("nodes.host").RUNS.live


def test_what_never_began_leaves_no_run(nodes, host, toy, monkeypatch):
    monkeypatch.setattr(type(toy.model.engine()), "condition", lambda *inputs, **more: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        nodes["EchoTorrent_SaveVideo"].execute(frames(toy), "talk")
    assert not list((host.base / "output" / "echotorrent").iterdir())


def test_memory_that_runs_out_is_told(nodes, host, toy, monkeypatch):
    engine = toy.model.engine()
    step = type(engine).step

    def fail(self, state, *args, **options):
        if state.chunk == 1:
            raise RuntimeError("CUDA out of memory. Tried to allocate 20 GiB")
        return step(self, state, *args, **options)

    monkeypatch.setattr(type(engine), "step", fail)
    with pytest.raises(MemoryError, match=r"memory ran out .* resumed: choose") as error:
        nodes["EchoTorrent_SaveVideo"].execute(frames(toy), "talk")
    assert "\n" not in str(error.value) and not host.loaded  # freed
    (run,) = part("nodes.host").RUNS.snapshots()
    assert run["state"] == "failed" and run["chunks"] == 1 and "out of memory" in run["message"]


def test_collects_tensors(nodes, host, toy):
    """The same pictures as the saved video's, and sound of their length."""
    with torch.inference_mode():  # as the host runs nodes
        collected = nodes["EchoTorrent_Collect"].execute(frames(toy))
    images, sound, fps = collected.args
    assert images.shape == (38, 32, 32, 3) and images.min() >= 0 and images.max() <= 1 and fps == 25.0
    assert sound["waveform"].shape == (1, 2, 38 * 1920) and sound["sample_rate"] == 48000
    saved, _ = decoded(nodes["EchoTorrent_SaveVideo"].execute(frames(toy), "talk").args[0].path)
    assert np.abs(saved / 255 - images.numpy()).mean() < 0.05
    assert images[-1].std() > 0


def test_names_and_ids_are_checked_before_anything_runs(nodes, host):
    check = nodes["EchoTorrent_SaveVideo"].validate_inputs
    assert check(name="my talk 2") is True
    assert "cannot name a file" in check(name="../talk")
    assert "no run 0123456789abcdef" in check(name="talk", resume="0123456789abcdef")
    assert "is not the id" in check(name="talk", resume="../x")
    assert check(name=None, resume=None) is True  # linked; known later


def test_weights_go_with_the_model(nodes, host, toy):
    """Nothing that was made keeps them: ComfyUI counts on it when it frees memory."""
    nodes["EchoTorrent_SaveVideo"].execute(frames(toy, "0: smiling / 0.3: sad"), "talk")
    trunk = weakref.ref(toy.model.engine().trunk)
    gc.disable()
    try:
        host.loaded.clear()
        toy.model = None
        assert trunk() is None
    finally:
        gc.enable()


def test_caches_go_with_the_weights(nodes, host, toy):
    """When the host takes the trunk away, and not when it loads it again."""
    rotation = part("echotorrent_core.model.rope").rotation
    nodes["EchoTorrent_SaveVideo"].execute(frames(toy, seconds=0.5), "talk")
    patcher = host.loaded[0][0][0]
    assert patcher.model is toy.model.engine().trunk
    patcher.detach(unpatch_all=False)
    assert rotation.cache_info().currsize
    patcher.detach()
    assert not rotation.cache_info().currsize
