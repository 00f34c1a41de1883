"""The command line: results, live streams, Ctrl-C, resume, and one sentence for every bad input."""

from __future__ import annotations

import http.client
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import wave
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
import torch
from fakes import FakeEngine, speech
from PIL import Image
from safetensors.torch import load_file

from echotorrent_core import cli, inputs, jobs, play
from echotorrent_core.errors import InputError
from echotorrent_core.run_folder import RunFolder

REAL = jobs.load_engine
FAKE = str(Path(__file__).with_name("fake_cli.py"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(jobs, "load_engine", lambda config, args: FakeEngine())
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (64, 80), (200, 150, 120)).save("face.png")
    Path("speech.wav").write_bytes(wav(3.03))
    return tmp_path


def wav(seconds: float, gain: float = 1.0, seed: int = 0) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16000)
        out.writeframes((speech(seconds, seed)[0] * gain * 32767).astype("<i2").tobytes())
    return file.getvalue()


def generate(*more: str, image: str = "face.png", audio: str = "speech.wav", preset: str = "debug") -> int:
    return cli.main(["generate", "--preset", preset, "--image", image, "--audio", audio, "-o", "out.mp4", *more])


def start(*arguments: str, delay: float = 0.0, **options: object) -> subprocess.Popen:
    """A child process of the command line, in its own session so that only it gets our signals."""
    command = [sys.executable, FAKE, str(delay), *arguments]
    # Tests started in a shell's background ignore Ctrl-C, and their children would too.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True, **options)
    finally:
        signal.signal(signal.SIGINT, before)


def wait_for(condition: object, seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.02)


def frames(path: str | Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def chunks(run: Path) -> int:
    path = run / "events.jsonl"
    return path.read_text().count('"kind": "chunk"') if path.exists() else 0


def test_generate_makes_a_playable_file(folder: Path, capsys: pytest.CaptureFixture) -> None:
    assert generate() == 0
    with av.open("out.mp4") as container:
        assert container.streams.video[0].frames == 76 and abs(container.duration / 1e6 - 3.04) < 0.05
        heard = np.concatenate([f.to_ndarray() for f in container.decode(audio=0)], 1)
    true = speech(3.03)[1][0]
    n = min(heard.shape[1], len(true)) - 2000
    assert np.corrcoef(heard[0, :n], true[:n])[0, 1] > 0.97  # the speech, at its place
    assert sorted(os.listdir()) == ["face.png", "out.mp4", "speech.wav"]  # nothing left behind
    data = Path("out.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # seekable while it loads
    assert "3.04 s" in capsys.readouterr().err


def test_the_real_engine_with_random_weights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "load_engine", REAL)
    Path("speech.wav").write_bytes(wav(1.0))
    assert generate("--prompt", "smiling") == 0 and frames("out.mp4") == 25


def test_source_that_fails_at_once_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs.AudioReader, "__iter__", lambda self: (_ for _ in ()).throw(InputError("broken")))
    assert generate() == 2
    assert sorted(os.listdir()) == ["face.png", "speech.wav"]


def test_same_seed_same_bytes(folder: Path) -> None:
    made = []
    for seed in ("1", "1", "2"):
        assert generate("--seed", seed) == 0
        made.append(Path("out.mp4").read_bytes())
    assert made[0] == made[1] != made[2]


@pytest.mark.parametrize("seconds", [0.05, 0.5])
def test_very_short_sound(folder: Path, seconds: float) -> None:
    Path("speech.wav").write_bytes(wav(seconds))
    assert generate() == 0
    assert frames("out.mp4") == -(-round(seconds * 16000) // 640)


def test_silent_sound_and_no_face_only_warn(folder: Path, capsys: pytest.CaptureFixture) -> None:
    Path("speech.wav").write_bytes(wav(1.0, gain=0.0))
    assert generate() == 0
    error = capsys.readouterr().err
    assert "is silent" in error and "does not look like a face" in error


def test_bad_input_is_one_sentence_and_leaves_nothing(folder: Path, capsys: pytest.CaptureFixture) -> None:
    Path("empty").touch()
    Path("noise.wav").write_bytes(np.random.default_rng(0).bytes(4000))
    Path("text.png").write_text("no picture")
    Image.effect_noise((64, 64), 50).save("cut.png")
    Path("cut.png").write_bytes(Path("cut.png").read_bytes()[:2000])
    before = sorted(os.listdir())
    bad_images = ["missing.png", "empty", "text.png", "cut.png", ".", "speech.wav"]
    bad_sounds = ["missing.wav", "empty", "noise.wav", ".", "face.png"]
    cases = [lambda name=name: generate(image=name) for name in bad_images]
    cases += [lambda name=name: generate(audio=name) for name in bad_sounds]
    cases += [
        lambda: generate(preset="debgu"),
        lambda: generate("--threads", "0"),
        lambda: generate("--audio-format", "mp3"),
        lambda: generate("--resume", "nowhere"),
        lambda: cli.main(["generate", "--preset", "debug", "-o", "x.mp4"]),
        lambda: generate("-o", "out.txt"),
        lambda: generate("-o", "speech.wav/out.mp4"),
        lambda: cli.main(["play", "nowhere"]),
        lambda: cli.main(["play", ".", "--image", "face.png"]),
    ]
    for case in cases:
        assert case() == 2
        error = capsys.readouterr().err
        assert error.startswith("echotorrent: ") and error.count("\n") == 1, error
    assert sorted(os.listdir()) == before


def test_weights_that_do_not_load(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    Path("weights").mkdir()
    for part in ("trunk", "vae", "audio", "text"):
        Path(f"weights/{part}.safetensors").write_bytes(b"garbage")
    assert generate("--weights", "weights") == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_unwritable_output_is_found_before_work_begins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_bytes", refuse)  # root may write anywhere, so pretend
    monkeypatch.setattr(inputs, "read_image", lambda *_: pytest.fail("work began"))
    assert generate() == 2


def test_full_disk_while_finishing_keeps_the_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "finalise", full_disk)
        assert generate() == 2
    assert "No space left" in capsys.readouterr().err
    assert cli.main(["generate", "--resume", "out.mp4.run", "-o", "out.mp4"]) == 0
    assert frames("out.mp4") == 76


def full_disk(segments: list[Path], out: Path, kept: Path) -> None:
    raise InputError(f"cannot write '{out}' (No space left on device)")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_live_output_on_a_full_disk(folder: Path, capsys: pytest.CaptureFixture) -> None:
    sources = ["--preset", "debug", "--image", "face.png", "--audio", "speech.wav"]
    assert cli.main(["play", *sources, "--output", "/dev/full"]) == 2
    assert "cannot write the stream" in capsys.readouterr().err


def test_play_into_a_file_equals_the_run(folder: Path) -> None:
    sources = ["--preset", "debug", "--image", "face.png", "--audio", "speech.wav", "--run-dir", "run"]
    assert cli.main(["play", *sources, "--output", "live.mp4"]) == 0
    assert frames("live.mp4") == 76
    assert cli.main(["play", "run", "--output", "again.mp4"]) == 0  # a finished run plays too
    assert Path("again.mp4").read_bytes() == Path("live.mp4").read_bytes()


def test_frames_leave_before_the_sound_on_stdin_has_ended(folder: Path) -> None:
    arguments = ["play", "--preset", "debug", "--image", "face.png", "--audio", "-", "--output", "-"]
    child = start(*arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    data = bytearray(wav(6.0))
    child.stdin.write(data[: 44 + 2 * 32000])  # two seconds; the pipe stays open
    child.stdin.flush()
    received = b""
    while received.count(b"moof") < 2:
        received += os.read(child.stdout.fileno(), 65536)
    assert received.index(b"moov") < received.index(b"moof")
    child.stdin.write(data[44 + 2 * 32000 :])
    child.stdin.close()
    received += child.stdout.read()
    assert child.wait(60) == 0
    Path("live.mp4").write_bytes(received)
    assert frames("live.mp4") == 150
    assert generate_from(bytes(data)) == received  # live or not, the same bytes


def generate_from(sound: bytes) -> bytes:
    Path("six.wav").write_bytes(sound)
    assert generate("--keep-run", audio="six.wav") == 0
    return b"".join(p.read_bytes() for p in RunFolder(Path("out.mp4.run"), write=False).media())


def test_ctrl_c_keeps_what_was_made_and_resume_completes_it(folder: Path) -> None:
    assert generate() == 0
    whole = Path("out.mp4").read_bytes()
    arguments = ["--preset", "debug", "--image", "face.png", "--audio", "speech.wav", "-o", "part.mp4"]
    child = start("generate", *arguments, delay=0.4)
    wait_for(lambda: chunks(Path("part.mp4.run")) >= 2)
    child.send_signal(signal.SIGINT)
    error = child.communicate(timeout=60)[1].decode()
    assert child.returncode == 130 and "--resume 'part.mp4.run'" in error
    assert "Traceback" not in error
    assert 29 <= frames("part.mp4") < 76
    assert cli.main(["generate", "--resume", "part.mp4.run", "-o", "part.mp4"]) == 0
    assert Path("part.mp4").read_bytes() == whole


def test_resume_minds_what_the_run_was_made_from(folder: Path, capsys: pytest.CaptureFixture) -> None:
    assert generate("--keep-run", "--prompt", "smiling") == 0
    resume = ["generate", "--resume", "out.mp4.run", "-o", "out.mp4"]
    assert cli.main(resume) == 0
    capsys.readouterr()
    Path("speech.wav").rename("moved.wav")
    for more, word in [
        (["--preset", "embedded"], "preset 'debug'"),
        (["--seed", "5"], "seed"),
        (["--prompt", "sad"], "prompt"),
        ([], "is gone"),
        (["--audio", "face.png"], "not the file"),
    ]:
        assert cli.main([*resume, *more]) == 2
        assert word in capsys.readouterr().err
    assert cli.main([*resume, "--audio", "moved.wav"]) == 0
    assert generate(audio="moved.wav") == 2  # the folder is not run over
    assert "already holds a run" in capsys.readouterr().err


def test_page_plays_a_run(folder: Path) -> None:
    assert generate("--keep-run") == 0
    server = play.make_server(Path("out.mp4.run"))
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def get(path: str, host: str = "127.0.0.1") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=30)
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.read()

    try:
        assert b"MediaSource" in get("/")[1]
        run = json.loads(get("/run")[1])
        assert run["mime"].startswith('video/mp4; codecs="avc1.64') and run["fps"] == 25
        events = json.loads(get("/events?after=0")[1])
        assert [e["kind"] for e in events] == ["chunk"] * 5 + ["end"]
        assert json.loads(get(f"/events?after={events[-2]['n']}")[1])[0]["kind"] == "end"
        parts = [get("/init.mp4")[1], *(get("/" + e["file"])[1] for e in events[:-1]), get("/segments/closing.m4s")[1]]
        assert get("/live.mp4") == (200, b"".join(parts))
        for path in ("/run.json", "/../secret", "/segments/99999.m4s", "/segments/../run.json"):
            assert get(path)[0] == 404
        assert get("/", host="evil.example")[0] == 403
        with pytest.raises(InputError, match="port"):
            play.make_server(Path("out.mp4.run"), server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


def test_info_and_fast_help(capsys: pytest.CaptureFixture) -> None:
    assert cli.main(["info"]) == 0
    assert "embedded: 128x128 px, 25 fps" in capsys.readouterr().out
    code = (
        "import sys; from echotorrent_core import cli; print([m for m in ('torch','av','numpy') if m in sys.modules])"
    )
    root = str(Path(__file__).resolve().parents[2])
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root).stdout.strip() == "[]"


# Published models


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    from tests.core import published

    return published.write(tmp_path_factory.mktemp("models"))


def published(models: Path, *more: str) -> int:
    """Generate with the tiny models, at a size at which that takes a second."""
    options = ("--size", "32x32", "--dtype", "fp32", "--device", "cpu")
    return generate("--model-dir", str(models), *options, *more, preset="flashtalk_14b")


class Stopped(jobs.Job):
    """Ctrl-C after the first chunk."""

    def progress(self, quiet):
        for event in super().progress(quiet):
            yield event
            raise KeyboardInterrupt


VOICES = ("--audio-2", "other.wav")
MASKS = ("--mask", "one.png", "--mask-2", "two.png")


@pytest.mark.parametrize(
    "options", [(), ("--whole-recording",), VOICES, (*VOICES, *MASKS, "--whole-recording")], ids=len
)
def test_published_models_from_a_folder(folder, models, monkeypatch, options):
    monkeypatch.setattr(jobs, "load_engine", REAL)
    Path("other.wav").write_bytes(wav(2.0, seed=1))
    Image.effect_noise((64, 80), 50).save("face.png")  # colours are brought to the portrait's: a plain one hides all
    for name, left in (("one.png", 0), ("two.png", 32)):
        mask = Image.new("L", (64, 80))
        mask.paste(255, (left, 0, left + 32, 80))
        mask.save(name)
    assert published(models, *options) == 0
    assert frames("out.mp4") == 76  # 3.03 s: the first voice's length, not the second's
    whole = Path("out.mp4").read_bytes()

    # Stopped after its first window; the run remembers where weights, voices and masks are.
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "Job", Stopped)
        assert published(models, *options) == 130
    assert 33 <= frames("out.mp4") < 76
    assert cli.main(["generate", "--resume", "out.mp4.run", "-o", "out.mp4"]) == 0
    assert Path("out.mp4").read_bytes() == whole


def test_each_voice_and_each_mask_matters(folder, models, monkeypatch):
    """In the latents that the run goes on from."""
    monkeypatch.setattr(jobs, "load_engine", REAL)
    Path("speech.wav").write_bytes(wav(1.0))
    Path("other.wav").write_bytes(wav(1.0, seed=1))
    Image.effect_noise((64, 80), 50).save("face.png")  # colours are brought to the portrait's: a plain one hides all
    for name, left in (("one.png", 0), ("two.png", 32)):
        mask = Image.new("RGB", (32, 40))  # half the portrait's resolution
        mask.paste((255, 255, 255), (left // 2, 0, left // 2 + 16, 40))
        mask.save(name)
    swapped = ("--mask", "two.png", "--mask-2", "one.png")
    states = []
    for options in ((), VOICES, (*VOICES, *MASKS), (*VOICES, *swapped), (*VOICES, "--whole-recording")):
        assert published(models, "--keep-run", *options) == 0
        states.append(load_file("out.mp4.run/state.safetensors"))
        shutil.rmtree("out.mp4.run")
    one, halves, masked, turned, whole = (state["stream.lead"] for state in states)
    assert torch.equal(halves, masked)  # the masks are the halves
    masks = [state.get("conditioning.speakers") for state in states]
    different = [one, halves, turned, whole]
    assert not any(torch.equal(different[i], different[j]) for i in range(4) for j in range(i))
    assert masks[0] is None and torch.equal(masks[2], masks[3][[1, 0, 2]])
    assert "audio1.samples" in states[1] and "audio1.samples" not in states[4]


@pytest.mark.parametrize(
    ("options", "preset", "said"),
    [
        (VOICES, "debug", "knows one speaker; leave --audio-2 out"),
        (MASKS, "flashtalk_14b", "give --audio-2 too"),
        ((*VOICES, "--mask", "one.png"), "flashtalk_14b", "give --mask and --mask-2, or neither"),
        (("--audio-2", "none.wav"), "flashtalk_14b", "audio not found: 'none.wav'"),
        (("--audio-2", "-"), "flashtalk_14b", "--audio-2 takes a file"),
        ((*VOICES, "--mask", "one.png", "--mask-2", "none.png"), "flashtalk_14b", "image not found: 'none.png'"),
        ((*VOICES, "--mask", "wide.png", "--mask-2", "one.png"), "flashtalk_14b", "paint it over the picture"),
        ((*VOICES, "--mask", "black.png", "--mask-2", "one.png"), "flashtalk_14b", "mask of speaker 1 is empty"),
        (("--whole-recording",), "debug", "--whole-recording: for published models"),
        (("--encoder-device", "cpu"), "debug", "--encoder-device: for published models"),
        (("--encoder-device", "abacus"), "flashtalk_14b", "--encoder-device abacus"),
    ],
)
def test_two_speakers_that_cannot_be_are_one_sentence(folder, models, monkeypatch, capsys, options, preset, said):
    monkeypatch.setattr(jobs, "load_engine", REAL)
    Path("other.wav").write_bytes(wav(1.0))
    for name, size, colour in (("one.png", (64, 80), 255), ("black.png", (64, 80), 0), ("wide.png", (90, 40), 255)):
        Image.new("L", size, colour).save(name)
    more = ("--model-dir", str(models)) if preset != "debug" else ()
    assert generate(*options, *more, preset=preset) == 2
    error = capsys.readouterr().err.strip()
    assert said in error and len(error.splitlines()) == 1
    assert not Path("out.mp4.run").exists()


def test_sound_from_a_pipe_is_no_whole_recording(folder, models, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: False))
    options = ["--preset", "flashtalk_14b", "--model-dir", str(models), "--whole-recording"]
    assert cli.main(["generate", *options, "--image", "face.png", "--audio", "-", "-o", "out.mp4"]) == 2
    assert "--whole-recording needs all of the sound at once" in capsys.readouterr().err


def test_a_run_of_two_is_resumed_with_its_own_voices(folder, models, monkeypatch, capsys):
    monkeypatch.setattr(jobs, "load_engine", REAL)
    Path("other.wav").write_bytes(wav(3.0))
    Path("third.wav").write_bytes(wav(3.0, 0.5))
    resume = ["generate", "--resume", "out.mp4.run", "-o", "out.mp4"]
    for options, more, said in (
        (VOICES, "third.wav", "audio-2 'third.wav' is not the file"),
        ((), "other.wav", "was begun without --audio-2"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(jobs, "Job", Stopped)
            assert published(models, *options) == 130
        capsys.readouterr()
        assert cli.main([*resume, "--audio-2", more]) == 2
        error = capsys.readouterr().err.strip()
        assert said in error and len(error.splitlines()) == 1
        shutil.rmtree("out.mp4.run")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "needs published weights; name their folder with --model-dir"),
        (["--model-dir", "nowhere"], "nowhere: not found"),
        (["--model-dir", "."], "which is missing"),
        (["--model-dir", ".", "--size", "big"], "expected WIDTHxHEIGHT"),
        (["--model-dir", ".", "--size", "33x32"], "the nearest is 32x32"),
        (["--model-dir", ".", "--dtype", "fp4"], "expected one of"),
        (["--model-dir", ".", "--kv", "int4"], "expected one of"),
        (["--model-dir", ".", "--device", "abacus"], "--device abacus"),
        (["--model-dir", ".", "--lora", "gone.safetensors:0.5"], "'gone.safetensors' not found"),
        (["--model", "face.png"], "face.png"),
    ],
)
def test_bad_options_of_published_models_are_one_sentence(folder, monkeypatch, capsys, options, said):
    monkeypatch.setattr(jobs, "load_engine", REAL)
    assert generate(*options, preset="flashtalk_14b") == 2
    error = capsys.readouterr().err.strip()
    assert said in error and len(error.splitlines()) == 1
    assert sorted(os.listdir()) == ["face.png", "speech.wav"]


def test_options_of_published_models_are_refused_for_others(folder, capsys):
    assert generate("--dtype", "fp8") == 2
    assert "brings its own weights" in capsys.readouterr().err
